"""Payloads by which somebody asks for something: deployments and comments (contract, section 2)."""

from __future__ import annotations

import msgspec

from kubeci.github import shapes
from kubeci.github.decoding import no_installation, person_of, read, repository_of
from kubeci.model.conversation import Post
from kubeci.model.event import CommentEvent, DeploymentEvent, Event, IgnoredEvent
from kubeci.model.json import JsonObject
from kubeci.model.repository import Ref, RefType

MAX_TEXT = 65_536  # characters that GitHub takes for a comment


def deployment(name: str, _action: str, payload: bytes) -> Event:
    """Read a deployment; one whose payload does not ask us for a run is ignored, our own among them."""
    body = read(payload, shapes.DeploymentPayload)
    found = body.deployment
    wish = _wish_of(found.payload)
    if isinstance(wish, str):
        return IgnoredEvent(f"{name}: {wish}")
    repository = repository_of(body)
    if repository is None:
        return no_installation(name)
    return DeploymentEvent(
        repository=repository,
        deployment_id=found.id,
        task=found.task,
        environment=found.environment,
        sha=found.sha,
        ref=Ref(wish.ref_name or found.ref, RefType(wish.ref_type or RefType.BRANCH)),
        sender=person_of(body.sender),
        payload=read(payload, JsonObject),
        created_at=found.created_at,
    )


def _wish_of(payload: object) -> shapes.KubeCI | str:
    """Give what a deployment's payload, an object or its JSON, tells us; a text says why it asks for nothing."""
    if isinstance(payload, str):
        try:
            payload = msgspec.json.decode(payload)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return "its payload is not JSON, so it does not ask for a run"
    asked = payload.get("kube_ci") if isinstance(payload, dict) else None
    if not isinstance(asked, dict) or asked.get("run") is not True:
        return "its payload has no `kube_ci.run` that is true"
    try:
        wish = msgspec.convert(asked, shapes.KubeCI)
    except msgspec.ValidationError as error:
        return f"`kube_ci` of its payload cannot be read: {error}"[:300]
    if wish.ref_type and wish.ref_type not in set(RefType):
        return f"`kube_ci.ref_type` of its payload is `{wish.ref_type[:40]}`; it must be `branch` or `tag`"
    return wish


def comment(name: str, _action: str, payload: bytes) -> Event:
    """Read a new comment on an issue or a pull request."""
    body = read(payload, shapes.CommentPayload)
    return _written(name, body, body.comment, body.comment.id, read(payload, JsonObject))


def issue_opened(name: str, _action: str, payload: bytes) -> Event:
    """Read the text that an issue was opened with; it may have none."""
    body = read(payload, shapes.IssuePayload)
    return _written(name, body, body.issue, 0, read(payload, JsonObject))


def _written(
    name: str, body: shapes.IssuePayload, text: shapes.Written, comment_id: int, payload: JsonObject
) -> Event:
    repository = repository_of(body)
    if repository is None:
        return no_installation(name)
    post = Post(
        repository=repository,
        number=body.issue.number,
        comment_id=comment_id,
        url=text.html_url,
        created_at=text.created_at,
        on_pull_request=body.issue.pull_request is not None,
    )
    return CommentEvent(post, (text.body or "")[:MAX_TEXT], person_of(text.user), payload)
