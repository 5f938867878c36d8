"""Everything that a workflow can ask for, each in the smallest piece of a workflow that asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kubeci.settings.asks import Ask


@dataclass(frozen=True)
class Case:
    """One ask: `piece` is put into an object of the kind `place`, or into its list `member`."""

    ask: Ask
    place: str
    piece: dict[str, Any]
    name: str = ""

    def __str__(self) -> str:
        return f"{self.ask}-{self.place}-{'-'.join(self.piece)}"


def secret(name: str = "prod") -> dict[str, Any]:
    return {"name": name, "key": "k"}


def projected(**source: Any) -> dict[str, Any]:
    return {"name": "v", "projected": {"sources": [source]}}


def claim_of(**spec: Any) -> dict[str, Any]:
    return {"name": "v", "ephemeral": {"volumeClaimTemplate": {"spec": spec}}}


def security(**context: Any) -> dict[str, Any]:
    return {"securityContext": context}


POD = [  # fields that a workflow and a template share
    Case(Ask.SERVICE_ACCOUNTS, "pod", {"serviceAccountName": "admin"}, "admin"),
    Case(Ask.SERVICE_ACCOUNTS, "pod", {"executor": {"serviceAccountName": "admin"}}, "admin"),
    Case(Ask.NODE_SELECTORS, "pod", {"nodeSelector": {"pool": "prod"}}, "pool=prod"),
    Case(Ask.TOLERATIONS, "pod", {"tolerations": [{"key": "prod", "operator": "Exists"}]}, "prod"),
    Case(Ask.TOLERATIONS, "pod", {"tolerations": [{"operator": "Exists"}]}, "_none"),
    Case(Ask.AFFINITY, "pod", {"affinity": {"nodeAffinity": {}}}),
    Case(Ask.SCHEDULERS, "pod", {"schedulerName": "mine"}, "mine"),
    Case(Ask.POD_SPEC_PATCH, "pod", {"podSpecPatch": "hostPID: true"}),
    Case(Ask.POD_SPEC_PATCH, "pod", {"podSpecPatch": "{{workflow.parameters.patch}}"}),
    Case(Ask.RESOURCE_CLAIMS, "pod", {"resourceClaims": [{"name": "a", "resourceClaimName": "gpu"}]}, "gpu"),
    Case(Ask.PLUGINS, "pod", {"executorPlugins": [{"metadata": {"name": "evil"}, "spec": {}}]}, "evil"),
    Case(Ask.SYNCHRONIZATION, "pod", {"synchronization": {"mutexes": [{"name": "deploy"}]}}, "deploy"),
    Case(
        Ask.SYNCHRONIZATION,
        "pod",
        {"synchronization": {"semaphores": [{"configMapKeyRef": {"name": "locks", "key": "k"}}]}},
        "locks",
    ),
    Case(
        Ask.SYNCHRONIZATION, "pod", {"synchronization": {"semaphores": [{"database": {"key": "db"}}]}}, "db"
    ),
    Case(Ask.SYSCTLS, "pod", security(sysctls=[{"name": "kernel.msgmax", "value": "1"}]), "kernel.msgmax"),
    Case(Ask.SECURITY_PROFILES, "pod", security(seLinuxOptions={"type": "spc_t"}), "seLinuxOptions"),
    Case(Ask.PRIVILEGED, "pod", security(windowsOptions={"hostProcess": True})),
    Case(
        Ask.SECURITY_PROFILES,
        "pod",
        security(seccompProfile={"type": "Unconfined"}),
        "seccompProfile=Unconfined",
    ),
]
SPEC = [
    Case(
        Ask.POD_METADATA,
        "spec",
        {"podDisruptionBudget": {"maxUnavailable": 0, "selector": {"matchLabels": {"app": "payments"}}}},
        "app",
    ),
    Case(Ask.POD_METADATA, "spec", {"podDisruptionBudget": {"minAvailable": 1, "selector": {}}}, "_none"),
    Case(Ask.HOST_NETWORK, "spec", {"hostNetwork": True}),
    Case(Ask.SECRETS, "spec", {"imagePullSecrets": [{"name": "registry"}]}, "registry"),
    Case(Ask.PRIORITY_CLASSES, "spec", {"podPriorityClassName": "system"}, "system"),
    Case(Ask.ARTIFACT_REPOSITORIES, "spec", {"artifactRepositoryRef": {"configMap": "r", "key": "k"}}, "r/k"),
    Case(
        Ask.ARTIFACT_REPOSITORIES, "spec", {"artifactRepositoryRef": {"key": "k"}}, "artifact-repositories/k"
    ),
    Case(Ask.WORKFLOW_TEMPLATES, "spec", {"workflowTemplateRef": {"name": "w"}}, "w"),
    Case(
        Ask.CLUSTER_WORKFLOW_TEMPLATES,
        "spec",
        {"workflowTemplateRef": {"name": "w", "clusterScope": True}},
        "w",
    ),
    Case(Ask.WORKFLOW_TEMPLATES, "spec", {"hooks": {"exit": {"templateRef": {"name": "w"}}}}, "w"),
    Case(Ask.POD_METADATA, "spec", {"podMetadata": {"labels": {"app": "db"}}}, "app"),
    Case(Ask.SERVICE_ACCOUNTS, "spec", {"artifactGC": {"serviceAccountName": "admin"}}, "admin"),
    Case(Ask.POD_SPEC_PATCH, "spec", {"artifactGC": {"podSpecPatch": "hostPID: true"}}),
    Case(Ask.POD_METADATA, "spec", {"artifactGC": {"podMetadata": {"annotations": {"role": "x"}}}}, "role"),
    Case(
        Ask.CLAIMS,
        "spec",
        {
            "volumeClaimTemplates": [
                {"metadata": {"name": "w"}, "spec": {"dataSource": {"kind": "V", "name": "c"}}}
            ]
        },
        "c",
    ),
    Case(
        Ask.STORAGE_CLASSES,
        "spec",
        {"volumeClaimTemplates": [{"metadata": {"name": "w"}, "spec": {"storageClassName": ""}}]},
        "_none",
    ),
    Case(Ask.UNKNOWN_FIELDS, "spec", {"hostPID": True}, "hostPID"),
]
TEMPLATE = [
    Case(Ask.PRIORITY_CLASSES, "template", {"priorityClassName": "system"}, "system"),
    Case(Ask.RESOURCE_TEMPLATES, "template", {"resource": {"action": "create", "manifest": "x"}}, "create"),
    Case(Ask.PLUGINS, "template", {"plugin": {"slack": {"text": "x"}}}, "slack"),
    Case(Ask.PLUGINS, "template", {"plugin": {}}, "_none"),
    Case(Ask.MEMOIZATION, "template", {"memoize": {"key": "k", "cache": {"configMap": {"name": "m"}}}}, "m"),
    Case(Ask.POD_METADATA, "template", {"metadata": {"annotations": {"iam/role": "x"}}}, "iam/role"),
    Case(Ask.ARTIFACT_STORES, "template", {"archiveLocation": {"s3": {"key": "x"}}}, "s3"),
    Case(
        Ask.SECRETS,
        "template",
        {
            "http": {
                "url": "http://x",
                "headers": [{"name": "a", "valueFrom": {"secretKeyRef": secret()}}],
            }
        },
        "prod",
    ),
    Case(
        Ask.ARTIFACT_STORES, "template", {"data": {"source": {"artifactPaths": {"s3": {"key": "x"}}}}}, "s3"
    ),
    Case(
        Ask.CONFIG_MAPS,
        "template",
        {"inputs": {"parameters": [{"name": "p", "valueFrom": {"configMapKeyRef": secret("c")}}]}},
        "c",
    ),
]
CONTAINER = [
    Case(Ask.SECRETS, "container", {"env": [{"name": "A", "valueFrom": {"secretKeyRef": secret()}}]}, "prod"),
    Case(Ask.SECRETS, "container", {"envFrom": [{"secretRef": {"name": "prod"}}]}, "prod"),
    Case(Ask.CONFIG_MAPS, "container", {"envFrom": [{"configMapRef": {"name": "c"}}]}, "c"),
    Case(
        Ask.CONFIG_MAPS,
        "container",
        {"env": [{"name": "A", "valueFrom": {"configMapKeyRef": secret("c")}}]},
        "c",
    ),
    Case(Ask.PRIVILEGED, "container", security(privileged=True)),
    Case(Ask.PRIVILEGED, "container", security(windowsOptions={"hostProcess": True})),
    Case(Ask.CAPABILITIES, "container", security(capabilities={"add": ["CHOWN", "SYS_ADMIN"]}), "SYS_ADMIN"),
    Case(Ask.CAPABILITIES, "container", security(capabilities={"add": ["chown"]}), "chown"),
    Case(Ask.SECURITY_PROFILES, "container", security(procMount="Unmasked"), "procMount=Unmasked"),
    Case(
        Ask.SECURITY_PROFILES,
        "container",
        security(appArmorProfile={"type": "Unconfined"}),
        "appArmorProfile=Unconfined",
    ),
    Case(Ask.HOST_PORTS, "container", {"ports": [{"containerPort": 1, "hostPort": 80}]}, "80"),
    Case(Ask.PROBE_HOSTS, "container", {"livenessProbe": {"httpGet": {"port": 1, "host": "h"}}}, "h"),
    Case(
        Ask.PROBE_HOSTS,
        "container",
        {"lifecycle": {"postStart": {"tcpSocket": {"port": 1, "host": "h"}}}},
        "h",
    ),
]
VOLUME = [
    Case(Ask.HOST_PATHS, "volume", {"name": "v", "hostPath": {"path": "/etc"}}, "/etc"),
    Case(Ask.SECRETS, "volume", {"name": "v", "secret": {"secretName": "prod"}}, "prod"),
    Case(Ask.SECRETS, "volume", projected(secret={"name": "prod"}), "prod"),
    Case(
        Ask.SERVICE_ACCOUNT_TOKENS,
        "volume",
        projected(serviceAccountToken={"path": "t", "audience": "vault"}),
        "vault",
    ),
    Case(Ask.CONFIG_MAPS, "volume", projected(configMap={"name": "c"}), "c"),
    Case(Ask.CONFIG_MAPS, "volume", {"name": "v", "configMap": {"name": "c"}}, "c"),
    Case(Ask.CLAIMS, "volume", {"name": "v", "persistentVolumeClaim": {"claimName": "data"}}, "data"),
    Case(Ask.CLAIMS, "volume", claim_of(volumeName="pv"), "pv"),
    Case(Ask.CLAIMS, "volume", claim_of(selector={"matchLabels": {"a": "b"}})),
    Case(Ask.CLAIMS, "volume", claim_of(dataSourceRef={"kind": "V", "name": "c"}), "c"),
    Case(Ask.NAMESPACES, "volume", claim_of(dataSourceRef={"kind": "V", "name": "c", "namespace": "n"}), "n"),
    Case(Ask.STORAGE_CLASSES, "volume", claim_of(storageClassName="fast"), "fast"),
    Case(
        Ask.SECRETS,
        "volume",
        {"name": "v", "csi": {"driver": "d", "nodePublishSecretRef": {"name": "prod"}}},
        "prod",
    ),
    Case(Ask.VOLUME_KINDS, "volume", {"name": "v", "csi": {"driver": "d"}}, "csi"),
    Case(Ask.VOLUME_KINDS, "volume", {"name": "v", "nfs": {"server": "s", "path": "/"}}, "nfs"),
    Case(Ask.VOLUME_KINDS, "volume", {"name": "v", "gitRepo": {"repository": "r"}}, "gitRepo"),
    Case(
        Ask.SECRETS,
        "volume",
        {"name": "v", "azureFile": {"secretName": "prod", "shareName": "s"}},
        "prod",
    ),
    Case(
        Ask.SECRETS,
        "volume",
        {"name": "v", "cephfs": {"monitors": [], "secretRef": {"name": "prod"}}},
        "prod",
    ),
]
ARTIFACT = [
    Case(Ask.ARTIFACT_STORES, "artifact", {"name": "a", "path": "/a", "s3": {"key": "x"}}, "s3"),
    Case(Ask.ARTIFACT_STORES, "artifact", {"name": "a", "path": "/a", "gcs": {"key": "x"}}, "gcs"),
    Case(Ask.SECRETS, "artifact", {"name": "a", "s3": {"accessKeySecret": secret()}}, "prod"),
    Case(
        Ask.SECRETS,
        "artifact",
        {"name": "a", "git": {"repo": "r", "sshPrivateKeySecret": secret()}},
        "prod",
    ),
    Case(
        Ask.SECRETS,
        "artifact",
        {"name": "a", "http": {"url": "u", "auth": {"basicAuth": {"passwordSecret": secret()}}}},
        "prod",
    ),
    Case(Ask.PLUGINS, "artifact", {"name": "a", "plugin": {"name": "evil", "key": "k"}}, "evil"),
    Case(
        Ask.SERVICE_ACCOUNTS,
        "artifact",
        {"name": "a", "artifactGC": {"serviceAccountName": "admin"}},
        "admin",
    ),
]
CALL = [
    Case(Ask.WORKFLOW_TEMPLATES, "call", {"templateRef": {"name": "w", "template": "t"}}, "w"),
    Case(
        Ask.CLUSTER_WORKFLOW_TEMPLATES,
        "call",
        {"templateRef": {"name": "w", "template": "t", "clusterScope": True}},
        "w",
    ),
    Case(
        Ask.WORKFLOW_TEMPLATES,
        "call",
        {"hooks": {"running": {"templateRef": {"name": "w"}, "expression": "x"}}},
        "w",
    ),
]
METADATA = [
    Case(Ask.OBJECT_METADATA, "metadata", {"finalizers": ["example.org/never"]}, "example.org/never"),
    Case(
        Ask.OBJECT_METADATA,
        "metadata",
        {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "1"}]},
        "ownerReferences",
    ),
    Case(
        Ask.OBJECT_METADATA,
        "metadata",
        {"labels": {"workflows.argoproj.io/cron-workflow": "nightly"}},
        "workflows.argoproj.io/cron-workflow",
    ),
    Case(Ask.OBJECT_METADATA, "spec", {"workflowMetadata": {"labels": {"managedBy": "x"}}}, "managedBy"),
    Case(
        Ask.OBJECT_METADATA,
        "spec",
        {"workflowMetadata": {"labelsFrom": {"org": {"expression": "'x'"}}}},
        "org",
    ),
]
CASES = [*METADATA, *POD, *SPEC, *TEMPLATE, *CONTAINER, *VOLUME, *ARTIFACT, *CALL]
