from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import pytest
from installation_scene import Scene, faults, skipped

from kubeci.doctor.finding import State
from kubeci.local.cluster.crds import Crds
from kubeci.local.cluster.users import User
from kubeci.local.github.auth import new_app
from kubeci.settings.config import CacheDefaults, Config
from kubeci.settings.pattern import Pattern

WARNING, WRONG = State.WARNING, State.WRONG
Spoil: TypeAlias = Callable[[Scene], Awaitable[None] | None]

OF_APP = ["permissions", "events", "installations", "configuration", "deliveries"]
OF_CLUSTER = [
    "namespace",
    "CRDs",
    "schema",
    "controller",
    "rights",
    "ClusterWorkflowTemplates",
    "storage class",
    "against the cluster",
]
WHOLE = "kubectl apply --namespace argo --server-side --filename argo-install.yaml"
OLD = "kubectl apply --server-side --force-conflicts --kustomize"


def wrong_key(scene: Scene) -> None:
    scene.options(private_key=new_app().private_key)


def no_key(scene: Scene) -> None:
    scene.options(private_key="-----BEGIN NONSENSE-----")


def permission(scene: Scene, name: str, level: str = "") -> None:
    granted = scene.stack.github.state.app_permissions
    granted.pop(name)
    if level:
        granted[name] = level


def suspend(scene: Scene) -> None:
    scene.installation.suspended_at = datetime(2026, 1, 31, tzinfo=UTC)


def config(scene: Scene, **changed: object) -> None:
    hook = scene.stack.github.deliveries.config
    hook.update({key: str(value) for key, value in changed.items()})


def no_secret(scene: Scene) -> None:
    del scene.stack.github.deliveries.config["secret"]


async def delivered(scene: Scene, url: str, *, then: str = "") -> None:
    github = scene.stack.github
    right = github.webhook_url
    github.webhook_url = url
    await scene.deliver()
    github.webhook_url = right
    if then:
        await scene.deliver()


async def other_secret(scene: Scene) -> None:
    scene.stack.github.deliveries._secret = "another"
    await scene.deliver()


def crds(scene: Scene, found: Crds) -> None:
    scene.stack.cluster.crds = found


def no_argo_server(scene: Scene) -> None:
    scene.options(argo_server="http://127.0.0.1:1")


def storage(scene: Scene, **defaults: str) -> None:
    scene.stack.cluster.storage_classes = {"slow": False}
    scene.settings(config=Config(cache_defaults=CacheDefaults(**defaults)))


def clock(scene: Scene, seconds: float) -> None:
    scene.settings(now=lambda: time.time() + seconds)


def no_folder(scene: Scene) -> None:
    scene.options(store_url=f"sqlite:///{scene.folder}/absent/kubeci.db")


def broken_store(scene: Scene) -> None:
    (scene.folder / "other.db").write_bytes(b"no database at all" * 100)
    scene.options(store_url=f"sqlite:///{scene.folder}/other.db")


CASES: dict[str, tuple[Spoil, list[tuple[str, State]], list[str], str]] = {
    "wrong key": (wrong_key, [("credentials", WRONG)], OF_APP, "fingerprints"),
    "no key": (no_key, [("credentials", WRONG)], OF_APP, "generate another key"),
    "wrong app id": (
        lambda scene: scene.options(app_id=99),
        [("credentials", WRONG)],
        OF_APP,
        "--github.appid",
    ),
    "GitHub away": (
        lambda scene: scene.options(github_url="http://127.0.0.1:1"),
        [("credentials", WRONG)],
        [*OF_APP, "against GitHub"],
        "--github-url",
    ),
    "essential permission": (
        lambda scene: permission(scene, "checks", "read"),
        [("permission checks", WRONG)],
        [],
        "/organizations/kubeci/settings/apps/kubeci-local/permissions",
    ),
    "permission of a feature": (
        lambda scene: permission(scene, "members"),
        [("permission members", WARNING)],
        [],
        "set to read",
    ),
    "contents may be read only": (
        lambda scene: permission(scene, "contents", "read"),
        [("permission contents", WARNING)],
        [],
        "set to write",
    ),
    "essential event": (
        lambda scene: scene.stack.github.state.app_events.remove("check_suite"),
        [("event check_suite", WRONG)],
        [],
        "Subscribe to events",
    ),
    "event of a feature": (
        lambda scene: scene.stack.github.state.app_events.remove("merge_group"),
        [("event merge_group", WARNING)],
        [],
        "merge_queues",
    ),
    "suspended": (suspend, [("acme (ID)", WARNING)], [], "Unsuspend"),
    "permission not accepted": (
        lambda scene: scene.installation.permissions.update(checks="read"),
        [("acme (ID)", WRONG)],
        [],
        "reviews the request at http",
    ),
    "event not accepted": (
        lambda scene: setattr(scene.installation, "events", ["check_suite", "check_run"]),
        [("acme (ID)", WARNING)],
        [],
        "reviews the request at http",
    ),
    "nobody installed it": (
        lambda scene: scene.stack.github.state.installations.clear(),
        [("installations", WRONG)],
        [],
        "/apps/kubeci-local/installations/new",
    ),
    "nobody is served": (
        lambda scene: scene.options(owners=Pattern("^umbrella$")),
        [("installations", WRONG)],
        [],
        "--orgs",
    ),
    "served but not installed": (
        lambda scene: scene.options(installations=frozenset({5, scene.installation.id})),
        [("--idsfile", WARNING)],
        [],
        "take them out",
    ),
    "no URL": (
        lambda scene: setattr(scene.stack.github, "webhook_url", ""),
        [("URL", WRONG)],
        [],
        "https://SERVER/webhooks/github",
    ),
    "wrong path": (
        lambda scene: setattr(scene.stack.github, "webhook_url", "https://ci.example.com/hook"),
        [("URL", WRONG)],
        [],
        "https://ci.example.com/webhooks/github",
    ),
    "no TLS": (
        lambda scene: setattr(scene.stack.github, "webhook_url", "http://ci.example.com/webhooks/github"),
        [("TLS", WARNING)],
        [],
        "https",
    ),
    "TLS not verified": (
        lambda scene: config(scene, insecure_ssl=1),
        [("TLS", WARNING)],
        [],
        "enable SSL verification",
    ),
    "no secret": (
        no_secret,
        [("secret", WRONG)],
        [],
        "--secretfile",
    ),
    "forms": (
        lambda scene: config(scene, content_type="form"),
        [("content type", WARNING)],
        [],
        "application/json",
    ),
    "another secret": (other_secret, [("deliveries", WRONG)], [], "--secretfile"),
    "nobody there": (
        lambda scene: delivered(scene, "http://127.0.0.1:1"),
        [("deliveries", WRONG)],
        [],
        "cannot reach the server",
    ),
    "another server": (
        lambda scene: delivered(scene, f"{scene.url}/elsewhere"),
        [("deliveries", WRONG)],
        [],
        "/webhooks/github",
    ),
    "failed once": (
        lambda scene: delivered(scene, "http://127.0.0.1:1", then="right"),
        [("deliveries", WARNING)],
        [],
        "Redeliver",
    ),
    "cluster away": (
        lambda scene: scene.options(kubernetes_url="http://127.0.0.1:1"),
        [("API server", WRONG)],
        OF_CLUSTER,
        "--kubeconfig",
    ),
    "no kubeconfig": (
        lambda scene: scene.options(kubeconfig=scene.folder / "absent"),
        [("API server", WRONG)],
        OF_CLUSTER,
        "name a kubeconfig",
    ),
    "unknown to the cluster": (
        lambda scene: setattr(scene.stack.cluster, "admin", User("admin", allowed=True)),
        [("API server", WRONG)],
        OF_CLUSTER,
        "kubectl --kubeconfig",
    ),
    "no namespace": (
        lambda scene: setattr(scene.stack.cluster, "namespaces", ("other",)),
        [("namespace", WRONG)],
        [],
        "kubectl create namespace argo",
    ),
    "no CRDs": (lambda scene: crds(scene, Crds("none")), [("CRDs", WRONG)], ["schema", "controller"], WHOLE),
    "minimal CRDs": (lambda scene: crds(scene, Crds("minimal")), [("schema", WARNING)], [], OLD),
    "old Argo": (
        lambda scene: crds(scene, Crds(unknown=frozenset({"mutexes", "plugin"}))),
        [("version", WARNING)],
        [],
        OLD,
    ),
    "no controller": (
        lambda scene: scene.workflow("left", phase="", age=timedelta(minutes=5)),
        [("controller", WRONG)],
        [],
        "app=workflow-controller",
    ),
    "argo-server away": (no_argo_server, [("argo-server", WRONG)], [], "app=argo-server"),
    "argo-server's token": (
        lambda scene: scene.options(argo_token="another"),
        [("token", WRONG)],
        [],
        "--argo-tokenfile",
    ),
    "no default class": (
        storage,
        [("storage class", WARNING)],
        [],
        "annotate storageclass",
    ),
    "no default class for caches": (
        lambda scene: storage(scene, scope="branch", size="1Gi"),
        [("storage class", WRONG)],
        [],
        "annotate storageclass",
    ),
    "no such class": (
        lambda scene: storage(scene, storage_class_name="fast"),
        [("storage class", WRONG)],
        [],
        "correct the setting",
    ),
    "clock a bit off": (
        lambda scene: clock(scene, 45),
        [("against GitHub", WARNING), ("against the cluster", WARNING)],
        [],
        "timedatectl",
    ),
    "clock far off": (
        lambda scene: clock(scene, -300),
        [("against GitHub", WRONG), ("against the cluster", WARNING)],
        [],
        "timedatectl",
    ),
    "no folder for the store": (no_folder, [("store", WRONG)], [], "mkdir --parents"),
    "the store is none": (broken_store, [("store", WRONG)], [], "--store"),
    "Slack's token": (
        lambda scene: scene.options(slack_token="another"),
        [("token", WRONG)],
        [],
        "--slack.tokenfile",
    ),
}


@pytest.mark.parametrize(("spoil", "wrong", "not_looked_at", "remedy"), CASES.values(), ids=CASES)
async def test_a_fault_is_found_alone_and_its_remedy_told(
    spoil: Spoil, wrong: list[tuple[str, State]], not_looked_at: list[str], remedy: str, scene: Scene
) -> None:
    installation = scene.installation.id
    if (waiting := spoil(scene)) is not None:
        await waiting
    found = await scene.findings()
    told = [(name.replace(str(installation), "ID"), state) for name, state in faults(found)]
    assert told == wrong
    assert skipped(found) == not_looked_at
    first = next(each for each in found if each.state in {WRONG, WARNING})
    assert remedy in f"{first.remedy} {first.command}"
    assert first.why


async def test_a_whole_installation_is_all_right(scene: Scene) -> None:
    found = await scene.findings()
    assert [each for each in found if each.state is not State.OK] == []


async def test_a_folder_that_cannot_be_written_is_found(scene: Scene) -> None:
    scene.options(store_url="sqlite:////proc/kubeci.db")  # not even root makes a file there
    assert faults(await scene.findings()) == [("store", WRONG)]


async def test_one_that_hangs_holds_up_no_other(scene: Scene) -> None:
    scene.stack.cluster.faults.add("GET", "/openapi/", delay_seconds=60.0)
    found = await scene.findings(seconds=1.0)
    assert faults(found) == [("schema", WRONG)]
    assert skipped(found) == []


async def test_one_that_breaks_holds_up_no_other(scene: Scene) -> None:
    def breaks() -> float:
        raise ZeroDivisionError

    scene.subject = replace(scene.subject, now=breaks)
    found = await scene.findings()
    assert faults(found) == []
    assert skipped(found) == ["deliveries", "controller", "against GitHub", "against the cluster"]
