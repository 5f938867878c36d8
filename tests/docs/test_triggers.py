"""The tables of docs/triggers.md are those of the code."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from markdown_text import ROOT

from kubeci.github.events import ACTIONS, decode
from kubeci.model.build import BuildRequest
from kubeci.model.decision import Ignored
from kubeci.model.event import BranchDeletedEvent, CommentEvent, RepositoryGoneEvent
from kubeci.model.repository import Ref
from kubeci.model.trust import What, Who
from kubeci.policy.trust import DEFAULT
from kubeci.service.dispatch import RUN, Admission, Dispatcher
from kubeci.service.wish import Button, Press, StopRequest, Wish

PAGE = ROOT / "docs" / "triggers.md"
SHA = "a" * 40
APP = {"id": 1}
TIME = "2026-11-21T00:00:00Z"

PAYLOADS: dict[str, dict[str, Any]] = {
    "check_suite": {"check_suite": {"head_sha": SHA, "head_branch": "main", "app": APP}},
    "check_run": {
        "check_run": {"id": 5, "head_sha": SHA, "app": APP, "check_suite": {"head_branch": "main"}},
        "requested_action": {"identifier": RUN},
    },
    "create": {"ref": "v1", "ref_type": "tag"},
    "push": {"ref": "refs/heads/main", "head_commit": {"id": SHA, "message": "Fix"}},
    "pull_request": {
        "pull_request": {
            "number": 1,
            "head": {"ref": "x", "sha": SHA, "repo": {"full_name": "acme/widgets"}},
            "base": {"ref": "main", "sha": SHA},
        },
        "changes": {"base": {"ref": {"from": "x"}}},
    },
    "deployment": {
        "deployment": {
            "id": 7,
            "sha": SHA,
            "ref": "main",
            "task": "deploy",
            "environment": "staging",
            "payload": {"kube_ci": {"run": True}},
        }
    },
    "issue_comment": {
        "issue": {"number": 1, "html_url": "https://x/1", "created_at": TIME},
        "comment": {"id": 3, "body": "/kube-ci run", "html_url": "https://x/1#3", "created_at": TIME},
    },
    "issues": {"issue": {"number": 1, "html_url": "https://x/1", "body": None, "created_at": TIME}},
    "delete": {"ref": "topic", "ref_type": "branch"},
    "repository": {},
    "merge_group": {"merge_group": {"head_sha": SHA, "head_ref": "refs/heads/gh-readonly-queue/main/pr-1"}},
}
SAID = {
    ("deployment", "created"): "created, with `payload.kube_ci.run`",
    ("delete", ""): "of a branch",
    ("check_run", "requested_action"): "Run",
    ("create", ""): "of a tag",
    ("push", ""): "of a branch",
    ("pull_request", "edited"): "edited, when the base changed",
}
LABELS = {
    Button.SKIP: "Skip",
    Button.CANCEL: "Cancel, and Terminate",
    Button.CLEAR_CACHE: "Clear Cache, of the repository",
    Button.CLEAR_CACHE_BRANCH: "Clear Cache, of the branch",
}
PRESSES = {
    Button.SKIP: (
        "the manual step is skipped",
        f"`{What.SKIP}`, an essential step's `{What.SKIP_ESSENTIAL}`",
    ),
    Button.CANCEL: ("the workflow is stopped, a second time terminated", f"`{What.CANCEL}`"),
    Button.CLEAR_CACHE: ("all its caches are deleted", f"`{What.CLEAR_CACHE}`"),
    Button.CLEAR_CACHE_BRANCH: ("that branch's caches are deleted", f"`{What.CLEAR_CACHE}`"),
}
FORK = {
    "pull_request": PAYLOADS["pull_request"]["pull_request"]
    | {"head": {"ref": "x", "sha": SHA, "repo": {"full_name": "ada/widgets"}}}
}


class Nobody:
    """Ports that know nothing but a tag's commit."""

    async def tag_commit(self, *_: object) -> str:
        return SHA

    async def of_check_run(self, *_: object) -> Any:
        return SimpleNamespace(id="", head_repository="", ref=Ref("main"), state="running", deployment_id=0)

    async def of_commit(self, *_: object) -> None:
        return None


async def wish_of(event: str, action: str, **changes: Any) -> Wish:
    payload = {
        "action": action or None,
        "repository": {"name": "widgets", "owner": {"login": "acme"}},
        "installation": {"id": 1},
        **PAYLOADS[event],
        **changes,
    }
    dispatcher = Dispatcher(Admission(1), Nobody(), Nobody())  # type: ignore[arg-type] # all that is asked for
    return await dispatcher.wish_of(decode(event, json.dumps(payload).encode()), "delivery")


def words(wish: Wish) -> tuple[str, str]:
    match wish:
        case BuildRequest(automatic=True):
            return "the automatic build", f"`{wish.what}`"
        case BuildRequest():
            return "a build of that entrypoint" if wish.entrypoint else "a build", f"`{wish.what}`"
        case StopRequest():
            return "the end of its running builds", ""
        case CommentEvent():
            return "the [commands](commands.md) in it", f"`{What.COMMAND}`"
        case BranchDeletedEvent():
            return "the end of that branch's [caches](caches.md)", ""
        case RepositoryGoneEvent():
            return "the end of all its caches", ""
        case Press():
            return PRESSES[wish.button]
        case Ignored():
            return "nothing", ""


async def events_table() -> str:
    lines = ["| event | action | what is asked for | row of the trust table |", "| --- | --- | --- | --- |"]
    for event, action in ACTIONS:
        asked, row = words(await wish_of(event, action))
        if event == "pull_request" and row:
            row += f", from a fork {words(await wish_of(event, action, **FORK))[1]}"
        if event.startswith("check_") and action != "requested":
            row += ", a fork's commit `rerunFork`" if action == "rerequested" else ""
        if (event, action) == ("check_run", "rerequested"):
            asked = "the failed steps once more, else a build"
        lines.append(f"| {event} | {SAID.get((event, action), action)} | {asked} | {row} |")
        if action == "requested_action":
            for button in Button:
                pressed = {**PAYLOADS[event], "requested_action": {"identifier": button}}
                asked, row = words(await wish_of(event, action, **pressed))
                lines.append(f"| {event} | {LABELS[button]} | {asked} | {row} |")
    return "\n".join(lines)


async def trust_table() -> str:
    lines = ["| row | " + " | ".join(f"`{who}`" for who in Who) + " |", "| --- |" + " --- |" * len(Who)]
    lines += [f"| `{what}` | " + " | ".join(row[who] for who in Who) + " |" for what, row in DEFAULT.items()]
    return "\n".join(lines)


@pytest.mark.parametrize(("name", "table"), [("events", events_table), ("trust", trust_table)])
async def test_the_tables_are_those_of_the_code(
    name: str, table: Callable[[], Any], update_golden: bool
) -> None:
    page = PAGE.read_text()
    pattern = re.compile(rf"(<!-- {name}: [^\n]*-->\n)(.*?)(\n<!-- end -->)", re.DOTALL)
    found = pattern.search(page)
    assert found
    written = await table()
    if update_golden:
        PAGE.write_text(page[: found.start(2)] + written + page[found.end(2) :])
    else:
        assert found[2] == written, "write it anew with: pytest tests/docs --update-golden"
