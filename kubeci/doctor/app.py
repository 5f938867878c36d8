"""Is the GitHub App ours, and does it have the permissions and events that it needs?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from kubeci.doctor.finding import Finding, Group, State
from kubeci.doctor.subject import NO_APP, Looked, Subject
from kubeci.errors import ConfigurationError, UpstreamError
from kubeci.github.app_look import SeenApp
from kubeci.model.app_needs import EVENTS, PERMISSIONS, Permission, wanted_permissions

LEVELS = {"read": 1, "write": 2, "admin": 3}
_WHY = "the server proves by the key that it is the App; without that it can do nothing on GitHub"


async def credentials(looked: Looked) -> Sequence[Finding]:
    """Ask GitHub who we are."""
    subject = looked.subject
    try:
        app = await looked.app.get()
    except ConfigurationError as error:
        remedy = "generate another key on the App's settings page, and name its file with --keyfile"
        return [_wrong(str(error), remedy, "")]
    except UpstreamError as error:
        if error.status in {401, 403, 404}:  # 404: "Integration not found", for an id that no App has
            return [_refused(str(error), subject)]
        url = subject.options.github_url
        remedy = (
            f"is --github-url {url} right, and may this machine reach it (HTTPS_PROXY, a network policy)?"
        )
        return [_wrong(str(error), remedy, f"curl --include {url}/meta")]
    if app.id != subject.options.app_id:
        return [
            _wrong(
                f"the key is that of App {app.id}, not {subject.options.app_id}", "correct --github.appid", ""
            )
        ]
    owner = app.owner.login or "an enterprise"
    found = f"the key is that of {app.slug} (App {app.id}) of {owner} at {subject.github}"
    return [Finding(Group.APP, "credentials", State.OK, found)]


def _refused(told: str, subject: Subject) -> Finding:
    """Explain why GitHub does not take our JWT; its words tell clock, key and id apart, but for the last two."""
    if "('exp')" in told or "('iat')" in told or "Expiration" in told or "Issued at" in told:
        return _wrong(told, "set this machine's clock (see clock)", "timedatectl set-ntp true")
    app_id = subject.options.app_id
    remedy = (
        f"App {app_id} is not there, or the key is not one of its keys: compare the id on the App's settings page with "
        "--github.appid, and the fingerprints of its keys there with that of --keyfile"
    )
    fingerprint = "openssl rsa -in KEYFILE -pubout -outform DER | openssl sha256 -binary | openssl base64"
    return _wrong(told, remedy, fingerprint)


def _wrong(found: str, remedy: str, command: str) -> Finding:
    return Finding(Group.APP, "credentials", State.WRONG, found, _WHY, remedy, command)


def settings_page(app: SeenApp, github: str) -> str:
    """Give the address of the App's settings, which its owners see."""
    of = f"/organizations/{app.owner.login}" if app.owner.type == "Organization" else ""
    return f"{github}{of}/settings/apps/{app.slug}"


async def permissions(looked: Looked) -> Sequence[Finding]:
    """Hold the App's permissions against what it needs."""
    app = await looked.app.needed(NO_APP)
    page = f"{settings_page(app, looked.subject.github)}/permissions"
    lacking = lacking_permissions(app.permissions)
    if not lacking:
        return [
            Finding(Group.APP, "permissions", State.OK, f"all {len(wanted_permissions())} that are needed")
        ]
    return [_permission(each, app.permissions.get(each.name, "none"), page) for each in lacking]


def lacking_permissions(granted: Mapping[str, str]) -> list[Permission]:
    """Give what is needed and not granted."""
    return [each for each in PERMISSIONS if LEVELS.get(granted.get(each.name, ""), 0) < LEVELS[each.level]]


def _permission(needed: Permission, has: str, page: str) -> Finding:
    return Finding(
        Group.APP,
        f"permission {needed.name}",
        State.WRONG if needed.essential else State.WARNING,
        f"{has}; {needed.level} is needed",
        f"it carries {needed.carries}; without it {needed.without}",
        f"each installation's owner is asked to accept it, once it is set to {needed.level} at {page}",
    )


async def events(looked: Looked) -> Sequence[Finding]:
    """Hold the App's events against what it needs."""
    app = await looked.app.needed(NO_APP)
    page = f"{settings_page(app, looked.subject.github)}/permissions"
    lacking = lacking_events(app.events)
    if not lacking:
        return [Finding(Group.APP, "events", State.OK, f"all {len(EVENTS)} that are needed")]
    return [
        Finding(
            Group.APP,
            f"event {each.event}",
            State.WRONG if each.essential else State.WARNING,
            "not subscribed to",
            f"it carries {each.carries}",
            f"it needs the permission {each.permission}; tick it under Subscribe to events at {page}",
        )
        for each in EVENTS
        if each.event in lacking
    ]


def lacking_events(subscribed: Collection[str]) -> list[str]:
    """Name the events that are needed and not subscribed to."""
    return [each.event for each in EVENTS if each.event not in subscribed]
