"""Did those who installed the App accept what it asks for, and is it not suspended?"""

from __future__ import annotations

from collections.abc import Sequence

from kubeci.doctor.app import lacking_events, lacking_permissions
from kubeci.doctor.finding import Finding, Group, State
from kubeci.doctor.subject import NO_APP, Looked, Subject
from kubeci.github.app_look import SeenApp, SeenInstallation
from kubeci.model.app_needs import EVENTS

SHOWN = 20
"""Findings about installations that are told one by one."""


async def installations(looked: Looked) -> Sequence[Finding]:
    """Look at each installation that the server serves."""
    subject = looked.subject
    app = await looked.app.needed(NO_APP)
    every, whole = await (await looked.github.get()).installations()
    served = [each for each in every if _is_served(each, subject)]
    found = [finding for each in served for finding in _of_one(each, app)]
    found.sort(key=lambda each: each.state is not State.WRONG)
    if len(found) > SHOWN:
        more = Finding(Group.INSTALLATIONS, "more", State.WARNING, f"{len(found) - SHOWN} more are not shown")
        found = [*found[:SHOWN], more]
    absent = subject.options.installations - {each.id for each in every}
    if absent and whole:
        found.append(_absent(sorted(absent)))
    if not served:
        return [*found, _none(len(every), app, subject)]
    if found:
        return found
    names = ", ".join(map(_name, served[:SHOWN])) + (", …" if len(served) > SHOWN else "")
    told = f"{len(served)}, with all permissions and events: {names}"
    left = len(every) - len(served)
    others = f"; {left} more {'is' if left == 1 else 'are'} not served (--idsfile, --orgs)" if left else ""
    rest = "" if whole else f"; only the first {len(every)} were looked at"
    return [Finding(Group.INSTALLATIONS, "installations", State.OK, told + others + rest)]


def _is_served(installation: SeenInstallation, subject: Subject) -> bool:
    """Say what `--idsfile` and `--orgs` say of an installation; an enterprise's has no owner's name."""
    ids, owners = subject.options.installations, subject.options.owners
    return (not ids or installation.id in ids) and (owners is None or owners.search(_owner(installation)))


def _name(installation: SeenInstallation) -> str:
    """Give the owner and the number, by which metrics and logs name an installation."""
    return f"{_owner(installation) or 'installation'} ({installation.id})"


def _owner(installation: SeenInstallation) -> str:
    return installation.account.login if installation.account else ""


def _of_one(installation: SeenInstallation, app: SeenApp) -> list[Finding]:
    owner, name = _owner(installation), _name(installation)
    page = installation.html_url
    if installation.suspended_at:
        return [
            Finding(
                Group.INSTALLATIONS,
                name,
                State.WARNING,
                f"suspended since {installation.suspended_at[:10]}",
                "GitHub sends no events of its repositories and lets us read none: nothing of them is built",
                f"leave it out with --idsfile or --orgs, or press Unsuspend at {page}",
            )
        ]
    of_app = {each.name for each in lacking_permissions(app.permissions)}
    pending = [each for each in lacking_permissions(installation.permissions) if each.name not in of_app]
    events_of_app = lacking_events(app.events)
    unheard = [each for each in lacking_events(installation.events) if each not in events_of_app]
    if not pending and not unheard:
        return []
    essential = {each.event for each in EVENTS if each.essential} & set(unheard)
    asked = [f"{each.name}: {each.level}" for each in pending] + [f"event {each}" for each in unheard]
    carried = [each.carries for each in pending] + [each.carries for each in EVENTS if each.event in unheard]
    wrong = essential or any(each.essential for each in pending)
    return [
        Finding(
            Group.INSTALLATIONS,
            name,
            State.WRONG if wrong else State.WARNING,
            f"not accepted: {', '.join(asked)}",
            f"the App asks for it, its owner has not said yes; it carries {'; '.join(carried)}",
            f"an owner of {owner or 'the account'} reviews the request at {page}",
        )
    ]


def _absent(ids: list[int]) -> Finding:
    return Finding(
        Group.INSTALLATIONS,
        "--idsfile",
        State.WARNING,
        f"not installed: {', '.join(map(str, ids[:SHOWN]))}",
        "installations that the server is to serve are gone, or of another App",
        "take them out of the file",
    )


def _none(others: int, app: SeenApp, subject: Subject) -> Finding:
    page = f"{subject.github}/apps/{app.slug}/installations/new"
    if others:
        found, remedy = f"none of {others} is served", "correct --idsfile or --orgs"
    else:
        found, remedy = "none", f"install the App at {page}"
    return Finding(Group.INSTALLATIONS, "installations", State.WRONG, found, "nothing is built", remedy)
