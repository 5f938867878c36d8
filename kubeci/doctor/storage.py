"""Is there a storage class for cache volumes?"""

from __future__ import annotations

from collections.abc import Sequence

from kubeci.cluster import discovery
from kubeci.doctor.finding import Finding, Group, State
from kubeci.doctor.subject import NO_CLUSTER, Looked
from kubeci.errors import UpstreamError

_NAME = "storage class"
_LIST = "kubectl get storageclass"


async def storage_class(looked: Looked) -> Sequence[Finding]:
    """Look for the class that cache volumes get: the settings', else the cluster's default."""
    looked.subject.need_settings()
    await looked.cluster.needed(NO_CLUSTER)
    client = await looked.client.get()
    defaults = looked.subject.config.cache_defaults
    wanted = defaults.storage_class_name if defaults else ""
    try:
        if wanted:
            await discovery.storage_class(client, wanted)
            return [
                Finding(Group.STORAGE, _NAME, State.OK, f"{wanted} (cacheDefaults.storageClassName) is there")
            ]
        classes = await discovery.storage_classes(client)
    except UpstreamError as error:
        if error.status == 404 and wanted:
            return [_named_one_missing(wanted)]
        if error.status != 403:
            raise
        told = "skipped: our rights do not show storage classes"
        remedy = f"look with an administrator's: is {wanted or 'one marked as the default'} there?"
        return [Finding(Group.STORAGE, _NAME, State.UNKNOWN, told, "", remedy, _LIST)]
    default = [name for name, is_default in classes.items() if is_default]
    if default:
        return [Finding(Group.STORAGE, _NAME, State.OK, f"{', '.join(default)} is the default")]
    asked = defaults is not None and defaults.scope != "none"
    found = f"none is the default, of {', '.join(sorted(classes))}" if classes else "there is none"
    return [
        Finding(
            Group.STORAGE,
            _NAME,
            State.WRONG if asked else State.WARNING,
            found,
            "a cache volume that names no class waits for ever, and the build that mounts it too",
            "name one in cacheDefaults.storageClassName, or mark one as the default; CLASS is its name",
            "kubectl annotate storageclass CLASS storageclass.kubernetes.io/is-default-class=true",
        )
    ]


def _named_one_missing(wanted: str) -> Finding:
    return Finding(
        Group.STORAGE,
        _NAME,
        State.WRONG,
        f"{wanted} (cacheDefaults.storageClassName) is not there",
        "cache volumes wait for ever, and the builds that mount them too",
        "create the class, or correct the setting",
        _LIST,
    )
