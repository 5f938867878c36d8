"""What fuzzing feeds: texts of odd characters, payloads and manifests with something odd in them."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

SHA = "a" * 40
_REPOSITORY = {"name": "widgets", "owner": {"login": "acme"}, "default_branch": "main"}
_SCOPE = {"repository": _REPOSITORY, "installation": {"id": 7}, "sender": {"login": "ada", "type": "User"}}
_SUITE = {"id": 1, "head_sha": SHA, "head_branch": "main", "app": {"id": 1}}
_PULL = {
    "number": 5,
    "title": "Mine",
    "html_url": "https://example.org/pull/5",
    "draft": False,
    "head": {"ref": "patch", "sha": SHA, "repo": {"full_name": "stranger/widgets"}},
    "base": {"ref": "main", "sha": "b" * 40},
    "user": {"login": "stranger", "type": "User"},
    "author_association": "NONE",
}
_ISSUE = {"number": 5, "title": "x", "body": "/kube-ci run", "user": {"login": "a"}, "pull_request": {}}
PAYLOADS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("check_suite", {"action": "requested", "check_suite": _SUITE}),
    (
        "check_run",
        {
            "action": "requested_action",
            "check_run": {
                "id": 3,
                "external_id": "x",
                "head_sha": SHA,
                "app": {"id": 1},
                "check_suite": _SUITE,
            },
            "requested_action": {"identifier": "run"},
        },
    ),
    ("create", {"ref": "v1", "ref_type": "tag"}),
    (
        "push",
        {
            "ref": "refs/heads/main",
            "after": SHA,
            "deleted": False,
            "head_commit": {"id": SHA, "message": "Fix"},
        },
    ),
    ("pull_request", {"action": "opened", "number": 5, "pull_request": _PULL}),
    (
        "merge_group",
        {"action": "checks_requested", "merge_group": {"head_sha": SHA, "head_ref": "refs/heads/q"}},
    ),
    (
        "deployment",
        {
            "action": "created",
            "deployment": {
                "id": 1,
                "sha": SHA,
                "ref": "main",
                "task": "deploy",
                "environment": "prod",
                "payload": {"kube_ci": {"run": True}},
                "creator": {"login": "ada"},
            },
        },
    ),
    (
        "issue_comment",
        {
            "action": "created",
            "issue": _ISSUE,
            "comment": {"id": 1, "body": "/kube-ci run", "user": {"login": "a"}},
        },
    ),
    ("issues", {"action": "opened", "issue": _ISSUE}),
    ("delete", {"ref": "patch", "ref_type": "branch"}),
    ("repository", {"action": "archived"}),
)
MANIFEST: dict[str, Any] = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Workflow",
    "metadata": {"annotations": {"kube-ci.qutics.com/manualTemplates": "x"}, "labels": {"a": "b"}},
    "spec": {
        "entrypoint": "ci",
        "arguments": {"parameters": [{"name": "p", "value": "v"}]},
        "templates": [
            {"name": "ci", "steps": [[{"name": "a", "template": "t", "arguments": {"parameters": []}}]]},
            {"name": "d", "dag": {"tasks": [{"name": "a", "template": "t", "depends": "b && c"}]}},
            {"name": "t", "inputs": {"parameters": [{"name": "p"}]}, "container": {"image": "a", "env": []}},
        ],
        "volumes": [{"name": "v", "emptyDir": {}}],
        "ttlStrategy": {"secondsAfterCompletion": 1},
        "hooks": {"exit": {"template": "t"}},
    },
    "status": {
        "phase": "Running",
        "nodes": {"n": {"id": "n", "name": "n", "type": "Pod", "children": ["n"]}},
    },
}

odd_characters = st.sampled_from(
    "`|\\@<>[]()#*_~!/:.-%?&={}$\"' \t\n\r\x00\x1b\x07\x9b\u202e\u2066\u200b\ufeff\ud800\U000e0041aA0é中🦀"
)
odd_text = st.text(odd_characters | st.characters(), max_size=80) | st.text(odd_characters, max_size=20).map(
    lambda text: text * 200
)
unicode_text = odd_text.map(lambda text: text.encode(errors="replace").decode())
odd_bytes = st.binary(max_size=200) | odd_text.map(lambda text: text.encode(errors="surrogatepass"))
_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**63, -(2**63), 2**64, 10**400, 0, -1])
    | st.floats()
    | unicode_text,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(unicode_text.map(lambda key: key[:20]), inner, max_size=3)
    ),
    max_leaves=6,
)
json_values = _json
json_objects = st.dictionaries(unicode_text.map(lambda key: key[:20]), _json, max_size=4)


def _ways(value: Any, way: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [way, *(found for key, item in inner for found in _ways(item, (*way, key)))]


@st.composite
def changed(draw: st.DrawFn, document: dict[str, Any]) -> dict[str, Any]:
    """Give a document in which up to three values are other ones, or are gone."""
    made = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        way = draw(st.sampled_from(_ways(made)[1:] or [()]))
        if not way:
            break
        holder: Any = made
        for step in way[:-1]:
            holder = holder[step]
        if draw(st.booleans()) or isinstance(holder, list):
            holder[way[-1]] = draw(_json)
        else:
            del holder[way[-1]]
    return made


def _published() -> list[tuple[str, dict[str, Any]]]:
    folder = Path(__file__).parent.parent / "data" / "webhooks"
    return [
        (path.name.partition(".")[0], json.loads(path.read_text())) for path in sorted(folder.glob("*.json"))
    ]


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[str, bytes]:
    """Give an event's name with a payload: anything, or one as GitHub sends it with something odd in it."""
    names = sorted({event for event, _ in PAYLOADS})
    if draw(st.booleans()):
        return draw(st.sampled_from(names) | odd_text), draw(odd_bytes)
    event, payload = draw(st.sampled_from([*((e, _SCOPE | p) for e, p in PAYLOADS), *_published()]))
    body = json.dumps(draw(changed(payload)), allow_nan=True).encode()
    return event, body[: draw(st.integers(0, len(body)))] if draw(st.integers(0, 9)) == 0 else body
