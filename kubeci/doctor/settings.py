"""Are the options and the settings file as the server takes them?"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kubeci.doctor.finding import Finding, Group, State
from kubeci.doctor.subject import Subject


async def settings(subject: Subject) -> Sequence[Finding]:
    """Tell what the reading of options and files gave."""
    found = [_problem(text) for text in subject.problems]
    found += [
        Finding(
            Group.SETTINGS,
            "settings file",
            State.WARNING,
            text,
            "the server runs, without what this line was meant to say",
            "correct the key; docs/settings.md names them all",
        )
        for text in subject.warnings
    ]
    if not found:
        found = [Finding(Group.SETTINGS, "options and files", State.OK, "read as the server reads them")]
    return found


def _problem(text: str) -> Finding:
    option = re.match(r"--([a-z.-]+)", text)
    name = option[0] if option else "settings file"
    return Finding(
        Group.SETTINGS,
        name,
        State.WRONG,
        text.removeprefix(name).lstrip(": "),
        "the server refuses to start with this",
        _REMEDIES.get(option[1] if option else "", "docs/settings.md tells what may stand there"),
    )


_REMEDIES = {
    "keyfile": "generate a private key on the App's settings page, and name its file with --keyfile; `kubeci create-app` makes App and key",
    "secretfile": "write the secret of the App's webhook into a file, and name it with --secretfile",
    "github.appid": "the id stands on the App's settings page, under About; `kubeci create-app` makes an App",
}
