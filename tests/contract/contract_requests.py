"""A case of the contract: requests one after another, and what must be answered.

In paths, queries and bodies `@` is the case's own name, `$rv0`, `$uid0`, `$continue0` and `$name0` are the version, uid,
continue token and name of the first answer. What is answered to each request stands in tests/data/contract, as the real
API server answered it; `python -m pytest -m cluster tests/contract --update-golden` writes it anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from contract_target import Target

PATHS = {
    "workflows": "/apis/argoproj.io/v1alpha1/namespaces/{namespace}/workflows",
    "templates": "/apis/argoproj.io/v1alpha1/namespaces/{namespace}/workflowtemplates",
    "pods": "/api/v1/namespaces/{namespace}/pods",
    "claims": "/api/v1/namespaces/{namespace}/persistentvolumeclaims",
    "leases": "/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases",
}
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
_GO = re.compile(r"json: |couldn't get version/kind|Object 'Kind' is missing|(?<=error decoding patch: )")
_VOLATILE = {
    "uid": "UID",
    "resourceVersion": "VERSION",
    "creationTimestamp": "TIME",
    "deletionTimestamp": "TIME",
}


@dataclass(frozen=True, slots=True)
class Ask:
    """One request: `path` begins with a word of PATHS or a slash; `gives` is the status that must be answered."""

    gives: int
    method: str
    path: str
    body: Any = None
    query: str = ""
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """Requests that belong together; `shows` are the parts of answered objects to compare (none: all)."""

    name: str
    asks: Sequence[Ask]
    shows: Sequence[str] = ()


def play(case: Case, target: Target) -> list[Any]:
    """Send a case's requests and give what was answered, without what differs from run to run."""
    answers: list[Any] = []
    compared = []
    for ask in case.asks:
        word, _, rest = ask.path.partition("/")
        path = f"{PATHS[word]}{'/' if rest else ''}{rest}" if word else ask.path
        url = _filled(f"{path}{'?' if ask.query else ''}{ask.query}", case, answers).replace(
            "{namespace}", target.namespace
        )
        body = ask.body if isinstance(ask.body, str | None) else json.dumps(ask.body)
        answer = target.http.request(
            ask.method,
            url,
            content=None if body is None else _filled(body, case, answers),
            headers={**({"Content-Type": ask.media_type} if body is not None else {}), **ask.headers},
        )
        told = _told(answer)
        answers.append(told)
        compare = {"status": answer.status_code, "warnings": answer.headers.get_list("warning")}
        compare["body"] = told if isinstance(told, str) else _compared(told, case)
        compared.append(json.loads(_masked(json.dumps(compare), target)))
    return compared


def _told(answer: httpx.Response) -> Any:
    """Give what was answered: an object, the events of a watch, or text."""
    if answer.headers.get("content-type") != "application/json":
        return answer.text
    if "watch=1" in str(answer.url) and answer.is_success:
        return [json.loads(line) for line in answer.text.splitlines()]
    return answer.json()


def _compared(told: Any, case: Case) -> Any:
    if isinstance(told, list):
        return [{"type": event["type"], "object": shown(event["object"], case)} for event in told]
    return shown(told, case)


def _filled(text: str, case: Case, answers: Sequence[Any]) -> str:
    def known(found: re.Match[str]) -> str:
        key = {"rv": "resourceVersion"}.get(found[1], found[1])
        return str(answers[int(found[2])].get("metadata", {}).get(key, ""))

    return re.sub(r"\$(rv|uid|continue|name)(\d)", known, text.replace("@", case.name))


def shown(body: Any, case: Case) -> Any:
    """Give an answer without the versions, times and uids of this run; of objects only the parts that are compared."""
    if "items" in body:
        body = {**body, "items": [_object(item, case) for item in body["items"]]}
    elif body.get("kind") == "Status":
        body = refusal(body)
    else:
        body = _object(body, case)
    return {**body, "metadata": _metadata(body["metadata"])} if "metadata" in body else body


def _object(obj: Any, case: Case) -> Any:
    kept = {**obj, "metadata": _metadata(obj.get("metadata", {}))}
    return {
        key: value
        for key, value in kept.items()
        if not case.shows or key in {*case.shows, "kind", "metadata"}
    }


def _metadata(metadata: Any) -> Any:
    found = {key: _VOLATILE.get(key, value) for key, value in metadata.items() if key != "managedFields"}
    if "continue" in found:
        found["continue"] = "CONTINUE" if found["continue"] else ""
    if "generateName" in found:
        found["name"] = re.sub(r"[a-z0-9]{5}$", "*****", found["name"])
    return found


def refusal(body: Any) -> Any:
    """Give a Status without the words of Go's decoders, and each cause once: the real server repeats some."""
    details = body.get("details", {})
    body = {**body, "message": _GO.split(body.get("message", ""))[0]}
    if "causes" not in details:
        return body
    unique = {json.dumps(cause, sort_keys=True): cause for cause in details["causes"]}
    causes = [unique[text] for text in sorted(unique)]
    for cause in causes:
        if cause.get("field") == "patch":  # it shows the whole object
            cause["message"] = cause["message"].rpartition('": ')[2]
        cause["message"] = cause["message"].partition("\n")[
            0
        ]  # what follows is a diff of the server's own structs
    message = body["message"].partition(" is invalid: ")[0]
    return {**body, "message": message, "details": {**details, "causes": causes}}


def _masked(text: str, target: Target) -> str:
    uid = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    text = re.sub(uid, "UID", text.replace(target.namespace, "NAMESPACE"))
    text = re.sub(r"(too old resource version: 1) \(\d+\)", r"\1 (VERSION)", text)
    text = re.sub(r"(Too large resource version: 99999999, current:) \d+", r"\1 VERSION", text)
    return re.sub(r"(ResourceVersion in (?:the precondition|record)) \(\d+\)", r"\1 (VERSION)", text)
