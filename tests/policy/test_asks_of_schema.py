from __future__ import annotations

from typing import Any

import pytest

from kubeci.policy.asks_found import EVERY, FOUND
from kubeci.workflow.faults import schema


def shapes() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = schema()["$defs"]
    return found


def test_what_asks_are_found_by_are_fields_of_the_schema() -> None:
    fields = {field for shape in shapes().values() for field in shape.get("properties", {})}
    unknown = [
        (kind, field)
        for kind, field in FOUND
        if field not in (fields if kind == EVERY else shapes()[kind]["properties"])
    ]
    assert unknown == []


# Fields of the objects by which a pod gets what it has, that ask for nothing of others: looked at one by one.
HARMLESS = {
    "WorkflowSpec": """activeDeadlineSeconds archiveLogs arguments artifactGC automountServiceAccountToken dnsConfig
        dnsPolicy entrypoint executor hooks hostAliases metrics onExit parallelism pendingTimeout podDisruptionBudget podGC
        podMetadata podPriority podResources priority retryStrategy securityContext shutdown suspend synchronization
        templateDefaults templates ttlStrategy volumeClaimGC volumeClaimTemplates volumes""",
    "Template": """activeDeadlineSeconds annotations archiveLocation automountServiceAccountToken container containerSet
        daemon dag data executor failFast hostAliases http initContainers inputs memoize metadata metrics name outputs
        parallelism pendingTimeout podResources priority retryStrategy script securityContext sidecars steps suspend
        synchronization timeout volumes""",
    "Container": """args command env envFrom image imagePullPolicy lifecycle livenessProbe name ports readinessProbe
        resizePolicy resources restartPolicy restartPolicyRules securityContext startupProbe stdin stdinOnce
        terminationMessagePath terminationMessagePolicy tty volumeDevices volumeMounts workingDir""",
    "SecurityContext": """allowPrivilegeEscalation appArmorProfile capabilities readOnlyRootFilesystem runAsGroup
        runAsNonRoot runAsUser seccompProfile windowsOptions""",
    "PodSecurityContext": """appArmorProfile fsGroup fsGroupChangePolicy runAsGroup runAsNonRoot runAsUser
        seLinuxChangePolicy seccompProfile supplementalGroups supplementalGroupsPolicy sysctls windowsOptions""",
    "Volume": """configMap downwardAPI emptyDir ephemeral hostPath image name persistentVolumeClaim projected secret""",
    "VolumeProjection": "clusterTrustBundle configMap downwardAPI secret",
    "EnvVarSource": "configMapKeyRef fieldRef resourceFieldRef secretKeyRef",
    "EnvFromSource": "configMapRef prefix secretRef",
    "Artifact": """archive archiveLogs artifactGC deleted from fromExpression git globalName http mode name optional path
        raw recurseMode subPath""",
    "PersistentVolumeClaimSpec": "accessModes dataSource dataSourceRef resources volumeMode",
    "WorkflowStep": "arguments continueOn hooks inline name onExit template when withItems withParam withSequence",
    "DAGTask": """arguments continueOn dependencies depends hooks inline name onExit template when withItems withParam
        withSequence""",
    "LifecycleHook": "arguments expression template",
    "Metadata": "",
    "ObjectMeta": """annotations creationTimestamp deletionGracePeriodSeconds deletionTimestamp generateName generation
        managedFields name namespace resourceVersion selfLink uid""",
    "PodDisruptionBudgetSpec": "maxUnavailable minAvailable unhealthyPodEvictionPolicy",
    "Mutex": "database",
    "SemaphoreRef": "database",
}  # fmt: skip


@pytest.mark.parametrize("kind", HARMLESS)
def test_each_field_of_what_a_pod_is_made_of_was_judged(kind: str) -> None:
    found = {field for of, field in FOUND if of in {kind, EVERY}}
    assert set(shapes()[kind]["properties"]) - found == set(HARMLESS[kind].split())


@pytest.mark.parametrize("kind", ["ContainerNode", "ScriptTemplate", "UserContainer"])
def test_containers_of_all_kinds_have_no_fields_that_were_not_judged(kind: str) -> None:
    more = {
        "ContainerNode": {"dependencies"},
        "ScriptTemplate": {"source"},
        "UserContainer": {"mirrorVolumeMounts"},
    }
    assert set(shapes()[kind]["properties"]) - set(shapes()["Container"]["properties"]) == more[kind]
