"""One replica with a file, or several with PostgreSQL."""

from __future__ import annotations

from pathlib import PurePosixPath
from urllib.parse import parse_qsl, urlsplit

import yaml
from deploy_kit import ROOT, container, manifest, pod
from doc_commands import INSTALL, commands, replicas_of

from kubeci.store.engine import is_shared


def test_a_store_with_one_writer_never_has_two_and_blocks_no_drain() -> None:
    spec = manifest("server/deployment.yaml")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    budget = manifest("server/disruption-budget.yaml")["spec"]
    assert (budget["maxUnavailable"], "minAvailable" in budget) == (1, False)


CREATE_POSTGRESQL = "kubectl create secret generic kubeci-postgresql "


def test_replicas_stand_apart_share_no_file_and_are_replaced_one_by_one() -> None:
    gone, changed = (
        yaml.safe_load(each["patch"]) for each in manifest("replicas/kustomization.yaml")["patches"]
    )
    claim = manifest("server/volume-claim.yaml")
    assert (gone["$patch"], gone["metadata"]["name"]) == ("delete", claim["metadata"]["name"])
    assert changed["metadata"]["name"] == manifest("server/deployment.yaml")["metadata"]["name"]
    spec = changed["spec"]
    assert spec["replicas"] > manifest("server/disruption-budget.yaml")["spec"]["maxUnavailable"]
    assert spec["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
    }
    patched = spec["template"]["spec"]
    [data] = patched["volumes"]
    assert data["name"] in {each["name"] for each in pod()["volumes"]}
    assert data["persistentVolumeClaim"] is None
    labels = manifest("server/deployment.yaml")["spec"]["template"]["metadata"]["labels"]
    apart, from_builds = (
        each["podAffinityTerm"]
        for each in patched["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    )
    assert apart["labelSelector"]["matchLabels"].items() <= labels.items()
    [of_the_base] = pod()["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert from_builds == of_the_base["podAffinityTerm"]
    variables = {each["name"]: each["valueFrom"]["secretKeyRef"] for each in patched["containers"][0]["env"]}
    assert set(variables) == {"KUBECI_STORE", "PGPASSWORD"}
    [command] = [each for each in commands(INSTALL) if each.line.startswith(CREATE_POSTGRESQL)]
    assert {each["name"] for each in variables.values()} == {command.words[4]}
    assert {each["key"] for each in variables.values()} == {"address", "password"}


def test_the_database_is_known_by_a_certificate_that_is_mounted() -> None:
    [command] = [each for each in commands(INSTALL) if each.line.startswith(CREATE_POSTGRESQL)]
    [address] = [word.partition("=")[2] for word in command.words if word.startswith("address=")]
    assert is_shared(address)
    options = dict(parse_qsl(urlsplit(address).query))
    assert options["sslmode"] == "verify-full"
    authority = PurePosixPath(options["sslrootcert"])
    [mount] = [each for each in container()["volumeMounts"] if each["name"] == "config"]
    assert str(authority.parent) == mount["mountPath"]
    overlay = replicas_of(INSTALL)
    [generated] = overlay["configMapGenerator"]
    assert set(generated["files"]) == {"config.yaml", authority.name}
    assert all((ROOT / "docs" / each).is_dir() for each in overlay["components"])
    [password] = [each for each in commands(INSTALL) if each.line.endswith(" >db-password")]
    assert password.line.startswith("printf %s ")
