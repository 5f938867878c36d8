"""Faults of the App, its installations and its webhook, and what the doctor says to them."""

from __future__ import annotations

from datetime import UTC, datetime

from fault_case import Case
from installation_scene import Scene

from kubeci.doctor.finding import State
from kubeci.local.github.auth import new_app
from kubeci.settings.pattern import Pattern

WARNING, WRONG = State.WARNING, State.WRONG
OF_APP = ["permissions", "events", "installations", "configuration", "deliveries"]


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


AT_GITHUB: dict[str, Case] = {
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
}
