"""The volumes of a pod as folders of this machine."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from api import Api

Object = dict[str, Any]


async def prepare(pod: Object, folder: Path, api: Api) -> dict[str, Path]:
    """Make the folder of each volume and fill it; gives the folders by the volumes' names."""
    found = {}
    for volume in pod["spec"].get("volumes", ()):
        place = folder / volume["name"]
        if claim := volume.get("persistentVolumeClaim"):
            place = await _claimed(pod["metadata"]["namespace"], claim["claimName"], api)
        place.mkdir(parents=True, exist_ok=True)
        for name, content in (await _files(volume, pod, api)).items():
            (place / name).write_bytes(content)
        found[volume["name"]] = place
    return found


async def _claimed(namespace: str, name: str, api: Api) -> Path:
    claim = await api.call("GET", f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/{name}")
    volume = await api.call("GET", f"/api/v1/persistentvolumes/{claim['spec']['volumeName']}")
    return Path(volume["spec"]["hostPath"]["path"])


async def _files(volume: Object, pod: Object, api: Api) -> dict[str, bytes]:
    if "projected" in volume:
        found: dict[str, bytes] = {}
        for source in volume["projected"]["sources"]:
            found |= await _projected(source, pod, api)
        return found
    namespace = pod["metadata"]["namespace"]
    if secret := volume.get("secret"):
        held = await api.call("GET", f"/api/v1/namespaces/{namespace}/secrets/{secret['secretName']}")
        return {name: base64.b64decode(value) for name, value in held.get("data", {}).items()}
    if config := volume.get("configMap"):
        return await _config(namespace, config, api)
    return {}


async def _projected(source: Object, pod: Object, api: Api) -> dict[str, bytes]:
    namespace = pod["metadata"]["namespace"]
    if token := source.get("serviceAccountToken"):
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{pod['spec']['serviceAccountName']}/token"
        bound = {
            "apiVersion": "v1",
            "kind": "Pod",
            "name": pod["metadata"]["name"],
            "uid": pod["metadata"]["uid"],
        }
        asked = {"spec": {"expirationSeconds": token["expirationSeconds"], "boundObjectRef": bound}}
        made = await api.call("POST", path, asked)
        return {token["path"]: made["status"]["token"].encode()}
    if config := source.get("configMap"):
        return await _config(namespace, config, api)
    items = source.get("downwardAPI", {}).get("items", ())
    return {item["path"]: field_of(pod, item["fieldRef"]["fieldPath"]).encode() for item in items}


async def _config(namespace: str, config: Object, api: Api) -> dict[str, bytes]:
    held = await api.call("GET", f"/api/v1/namespaces/{namespace}/configmaps/{config['name']}")
    return {name: value.encode() for name, value in held.get("data", {}).items()}


def field_of(pod: Object, path: str) -> str:
    """Read a field of a pod as `fieldRef` names it: `metadata.name`, `metadata.labels['app']`."""
    value: Any = pod
    for part in path.split("."):
        name, _, key = part.partition("[")
        value = value.get(name, {})
        value = value.get(key.strip("']"), "") if key else value
    return str(value or "")
