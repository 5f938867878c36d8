"""What each field of a workflow asks for: Argo's and Kubernetes' own field names, by the object that has them.

Objects are called as in workflow.schema.json. What stands in no row of `FOUND` asks for nothing that other builds, the
node or the cluster's secrets have a part in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from kubeci.settings.asks import Ask

Names: TypeAlias = Callable[[Any], Iterator[str]]
"""Gives the names that the value of a field asks for; the empty name where there is none to tell."""
Find: TypeAlias = tuple[Ask, Names]

UNNAMED = "_none"
"""Stands for the name of what is chosen by naming nothing."""


def members(body: Any, field: str) -> list[Any]:
    """Give the values of a field; Go takes its name in any case where Argo decodes by itself, as within `steps`."""
    if not isinstance(body, dict):
        return []
    folded = field.casefold()
    return [value for name, value in body.items() if isinstance(name, str) and name.casefold() == folded]


def _text(value: Any) -> Iterator[str]:
    if value not in ("", None):
        yield value if isinstance(value, str) else str(value)


def _text_or_unnamed(value: Any) -> Iterator[str]:
    yield from _text(value or UNNAMED)


def _each(value: Any) -> Iterator[str]:
    for item in value if isinstance(value, list) else [value]:
        yield from _text(item)


def _keys(value: Any) -> Iterator[str]:
    yield from map(str, value if isinstance(value, dict) and value else [UNNAMED])


def _labels(value: Any) -> Iterator[str]:
    yield from map(str, value if isinstance(value, dict) else ())


def _pairs(value: Any) -> Iterator[str]:
    for key, item in value.items() if isinstance(value, dict) else ():
        yield f"{key}={item}"


def _there(value: Any) -> Iterator[str]:
    if value not in (False, "", None):
        yield ""


def _named(field: str) -> Names:
    """Give the member `field` of an object, or of each in a list of objects."""

    def names(value: Any) -> Iterator[str]:
        for item in value if isinstance(value, list) else [value]:
            for found in members(item, field) or [UNNAMED]:
                yield from _text_or_unnamed(found)

    return names


def _number(value: Any) -> Iterator[str]:
    if value:
        yield str(value)


def _constant(name: str) -> Names:
    def names(_value: Any) -> Iterator[str]:
        yield name

    return names


def _profile(field: str, *safe: str) -> Names:
    def names(value: Any) -> Iterator[str]:
        yield from (f"{field}={each}" for each in _text(value) if each not in safe)

    return names


def _template(field: str, *, cluster_scope: bool) -> Names:
    """Give the name of a reference to a template, if it is to the cluster's or to the namespace's."""

    def names(value: Any) -> Iterator[str]:
        scopes = {each is not False for each in members(value, "clusterScope")} or {False}
        if cluster_scope in scopes:
            yield from _named(field)(value)

    return names


def _argos(value: Any) -> Iterator[str]:
    """Give the labels by which Argo's controllers find and join workflows: an instance's, a CronWorkflow's."""
    yield from (key for key in _labels(value) if key.startswith("workflows.argoproj.io/"))


def _selected(value: Any) -> Iterator[str]:
    """Give the labels that a selector knows pods by; an empty one takes all of the namespace."""
    named = [key for each in members(value, "matchLabels") for key in _labels(each)]
    for each in members(value, "matchExpressions"):
        named += _named("key")(each)
    yield from named or [UNNAMED]


def _keys_within(value: Any) -> Iterator[str]:
    """Give the keys of each member of an object."""
    for member in value.values() if isinstance(value, dict) else ():
        yield from _labels(member)


def _repository(value: Any) -> Iterator[str]:
    for config_map in members(value, "configMap") or ["artifact-repositories"]:  # Argo's default
        for key in members(value, "key") or [""]:
            yield f"{config_map}/{key}" if key else str(config_map)


def _resource_claims(value: Any) -> Iterator[str]:
    for item in value if isinstance(value, list) else [value]:
        wanted = (*members(item, "resourceClaimName"), *members(item, "resourceClaimTemplateName"))
        yield from map(str, wanted or [UNNAMED])


def _plugins(value: Any) -> Iterator[str]:
    for item in value if isinstance(value, list) else [value]:
        for meta in members(item, "metadata") or [{}]:
            yield from _named("name")(meta)


EVERY = "*"
"""In place of an object's name: the field means the same in each that has it."""

_ROWS: tuple[tuple[Ask, str, str, Names], ...] = (
    (Ask.SERVICE_ACCOUNTS, EVERY, "serviceAccountName", _text),
    (Ask.SERVICE_ACCOUNT_TOKENS, "VolumeProjection", "serviceAccountToken", _named("audience")),
    (Ask.SECRETS, "SecretKeySelector", "name", _text_or_unnamed),
    (Ask.SECRETS, "SecretEnvSource", "name", _text_or_unnamed),
    (Ask.SECRETS, "SecretProjection", "name", _text_or_unnamed),
    (Ask.SECRETS, EVERY, "secretName", _text),
    (Ask.SECRETS, EVERY, "imagePullSecrets", _named("name")),
    (Ask.SECRETS, EVERY, "nodePublishSecretRef", _named("name")),
    *(
        (Ask.SECRETS, f"{kind}VolumeSource", "secretRef", _named("name"))
        for kind in ("CephFS", "Cinder", "Flex", "ISCSI", "RBD", "ScaleIO", "StorageOS")
    ),
    (Ask.CONFIG_MAPS, "ConfigMapEnvSource", "name", _text_or_unnamed),
    (Ask.CONFIG_MAPS, "ConfigMapKeySelector", "name", _text_or_unnamed),
    (Ask.CONFIG_MAPS, "ConfigMapProjection", "name", _text_or_unnamed),
    (Ask.CONFIG_MAPS, "ConfigMapVolumeSource", "name", _text_or_unnamed),
    (Ask.MEMOIZATION, "Cache", "configMap", _named("name")),
    (Ask.CLAIMS, "PersistentVolumeClaimVolumeSource", "claimName", _text_or_unnamed),
    (Ask.CLAIMS, "PersistentVolumeClaimSpec", "volumeName", _text),
    (Ask.CLAIMS, "PersistentVolumeClaimSpec", "selector", _constant("")),
    (Ask.CLAIMS, "TypedLocalObjectReference", "name", _text_or_unnamed),
    (Ask.CLAIMS, "TypedObjectReference", "name", _text_or_unnamed),
    (Ask.STORAGE_CLASSES, "PersistentVolumeClaimSpec", "storageClassName", _text_or_unnamed),
    (Ask.STORAGE_CLASSES, "PersistentVolumeClaimSpec", "volumeAttributesClassName", _text),
    (Ask.HOST_PATHS, "HostPathVolumeSource", "path", _text_or_unnamed),
    *(
        (Ask.VOLUME_KINDS, "Volume", kind, _constant(kind))
        for kind in (
            "awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "csi", "fc", "flexVolume", "flocker",
            "gcePersistentDisk", "gitRepo", "glusterfs", "iscsi", "nfs", "photonPersistentDisk", "portworxVolume",
            "quobyte", "rbd", "scaleIO", "storageos", "vsphereVolume",
        )
    ),
    (Ask.HOST_NETWORK, EVERY, "hostNetwork", _there),
    (Ask.HOST_PORTS, "ContainerPort", "hostPort", _number),
    (Ask.PROBE_HOSTS, "HTTPGetAction", "host", _text),
    (Ask.PROBE_HOSTS, "TCPSocketAction", "host", _text),
    (Ask.PRIVILEGED, "SecurityContext", "privileged", _there),
    (Ask.PRIVILEGED, EVERY, "hostProcess", _there),
    (Ask.CAPABILITIES, "Capabilities", "add", _each),
    (Ask.SECURITY_PROFILES, "SecurityContext", "procMount", _profile("procMount", "Default")),
    (Ask.SECURITY_PROFILES, "SeccompProfile", "type", _profile("seccompProfile", "RuntimeDefault", "Localhost")),
    (Ask.SECURITY_PROFILES, "AppArmorProfile", "type", _profile("appArmorProfile", "RuntimeDefault", "Localhost")),
    (Ask.SECURITY_PROFILES, EVERY, "seLinuxOptions", _constant("seLinuxOptions")),
    (Ask.SYSCTLS, "Sysctl", "name", _text_or_unnamed),
    (Ask.NAMESPACES, "Mutex", "namespace", _text),
    (Ask.NAMESPACES, "SemaphoreRef", "namespace", _text),
    (Ask.NAMESPACES, "TypedObjectReference", "namespace", _text),
    (Ask.NAMESPACES, "StorageOSVolumeSource", "volumeNamespace", _text),
    (Ask.SYNCHRONIZATION, "Mutex", "name", _text_or_unnamed),
    (Ask.SYNCHRONIZATION, "SemaphoreRef", "configMapKeyRef", _named("name")),
    (Ask.SYNCHRONIZATION, "SyncDatabaseRef", "key", _text_or_unnamed),
    (Ask.NODE_SELECTORS, EVERY, "nodeSelector", _pairs),
    (Ask.TOLERATIONS, EVERY, "tolerations", _named("key")),
    (Ask.AFFINITY, "WorkflowSpec", "affinity", _constant("")),
    (Ask.AFFINITY, "Template", "affinity", _constant("")),
    (Ask.SCHEDULERS, EVERY, "schedulerName", _text),
    (Ask.PRIORITY_CLASSES, EVERY, "priorityClassName", _text),
    (Ask.PRIORITY_CLASSES, EVERY, "podPriorityClassName", _text),
    (Ask.WORKFLOW_TEMPLATES, EVERY, "templateRef", _template("name", cluster_scope=False)),
    (Ask.WORKFLOW_TEMPLATES, EVERY, "workflowTemplateRef", _template("name", cluster_scope=False)),
    (Ask.CLUSTER_WORKFLOW_TEMPLATES, EVERY, "templateRef", _template("name", cluster_scope=True)),
    (Ask.CLUSTER_WORKFLOW_TEMPLATES, EVERY, "workflowTemplateRef", _template("name", cluster_scope=True)),
    (Ask.RESOURCE_TEMPLATES, "Template", "resource", _named("action")),
    (Ask.RESOURCE_CLAIMS, EVERY, "resourceClaims", _resource_claims),
    (Ask.POD_SPEC_PATCH, EVERY, "podSpecPatch", _there),
    (Ask.POD_METADATA, "Metadata", "annotations", _labels),
    (Ask.POD_METADATA, "Metadata", "labels", _labels),
    (Ask.POD_METADATA, "PodDisruptionBudgetSpec", "selector", _selected),
    (Ask.OBJECT_METADATA, "ObjectMeta", "ownerReferences", _constant("ownerReferences")),
    (Ask.OBJECT_METADATA, "ObjectMeta", "finalizers", _each),
    (Ask.OBJECT_METADATA, "ObjectMeta", "labels", _argos),
    (Ask.OBJECT_METADATA, "WorkflowSpec", "workflowMetadata", _keys_within),
    (Ask.PLUGINS, "Template", "plugin", _keys),
    (Ask.PLUGINS, EVERY, "executorPlugins", _plugins),
    *(
        row
        for place in ("Artifact", "ArtifactLocation", "ArtifactPaths")
        for row in (
            (Ask.PLUGINS, place, "plugin", _named("name")),
            *(
                (Ask.ARTIFACT_STORES, place, store, _constant(store))
                for store in ("artifactory", "azure", "gcs", "hdfs", "oss", "s3")
            ),
        )
    ),
    (Ask.ARTIFACT_REPOSITORIES, EVERY, "artifactRepositoryRef", _repository),
)  # fmt: skip

FOUND: Mapping[tuple[str, str], tuple[Find, ...]] = {
    (kind, field): tuple((ask, names) for ask, of, which, names in _ROWS if (of, which) == (kind, field))
    for _, kind, field, _ in _ROWS
}
"""By object and field."""

WHOLE = frozenset({("Cache", "configMap"), ("SemaphoreRef", "configMapKeyRef")})
"""Fields whose value was judged with them: what they refer to asks for nothing more."""
