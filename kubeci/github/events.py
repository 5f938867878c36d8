"""Webhook payloads in, our events out; only the few fields that decide something are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeVar

import msgspec

from kubeci.errors import Invalid
from kubeci.model.event import CheckRunEvent, CheckSuiteEvent, Event, IgnoredEvent, TagCreatedEvent
from kubeci.model.json import JsonObject
from kubeci.model.repository import Repository as ModelRepository

Sha = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{40}([0-9a-f]{24})?$")]
T = TypeVar("T")


class _Account(msgspec.Struct):
    login: str


class _Repository(msgspec.Struct):
    name: str
    owner: _Account


class _Installation(msgspec.Struct):
    id: int


class _App(msgspec.Struct):
    id: int


class _Envelope(msgspec.Struct):
    action: str | None = None


class _Scoped(msgspec.Struct, kw_only=True):
    """What every event of a repository has; the owner comes from the repository, as users are no organization."""

    repository: _Repository
    installation: _Installation | None = None


class _CheckSuite(msgspec.Struct):
    head_sha: Sha
    app: _App | None = None
    head_branch: str | None = None


class _CheckSuitePayload(_Scoped):
    check_suite: _CheckSuite


class _SuiteOfRun(msgspec.Struct):
    head_branch: str | None = None


class _CheckRun(msgspec.Struct):
    id: int
    head_sha: Sha
    app: _App | None = None
    external_id: str | None = None
    check_suite: _SuiteOfRun | None = None


class _CheckRunPayload(_Scoped):
    check_run: _CheckRun


class _CreatePayload(_Scoped):
    ref: str
    ref_type: str


def decode(event: str, payload: bytes) -> Event:
    """Read one delivery: `event` is the header `X-GitHub-Event`, `payload` the JSON document.

    What asks nothing of us becomes an `IgnoredEvent` that names the event and says why.
    Raises `Invalid` (status 400) for a document that is not JSON, or not what GitHub documents for the event.
    """
    action = _read(payload, _Envelope).action or ""
    name = f"{event} {action}".strip()[:100]
    reader = _READERS.get((event, action))
    if reader is None:
        return IgnoredEvent(f"{name}: nothing is due for it")
    return reader(name, action, payload)


def _check_suite(name: str, action: str, payload: bytes) -> Event:
    body = _read(payload, _CheckSuitePayload)
    repository = _repository(body)
    if repository is None:
        return _no_installation(name)
    suite = body.check_suite
    return CheckSuiteEvent(
        repository=repository,
        action=action,
        app_id=suite.app.id if suite.app else 0,
        head_sha=suite.head_sha,
        head_branch=suite.head_branch or "",
        payload=_read(payload, JsonObject),
    )


def _check_run(name: str, action: str, payload: bytes) -> Event:
    body = _read(payload, _CheckRunPayload)
    repository = _repository(body)
    if repository is None:
        return _no_installation(name)
    run = body.check_run
    return CheckRunEvent(
        repository=repository,
        action=action,
        app_id=run.app.id if run.app else 0,
        check_run_id=run.id,
        external_id=run.external_id or "",
        head_sha=run.head_sha,
        head_branch=(run.check_suite.head_branch or "") if run.check_suite else "",
        payload=_read(payload, JsonObject),
    )


def _create(name: str, _action: str, payload: bytes) -> Event:
    body = _read(payload, _CreatePayload)
    if body.ref_type != "tag":
        return IgnoredEvent(f"{name} of a {body.ref_type[:40]}: only tags are built by it")
    repository = _repository(body)
    if repository is None:
        return _no_installation(name)
    return TagCreatedEvent(repository=repository, tag=body.ref, payload=_read(payload, JsonObject))


_READERS: dict[tuple[str, str], Callable[[str, str, bytes], Event]] = {
    ("check_suite", "requested"): _check_suite,
    ("check_suite", "rerequested"): _check_suite,
    ("check_run", "rerequested"): _check_run,
    ("create", ""): _create,
}


def _repository(body: _Scoped) -> ModelRepository | None:
    if body.installation is None:
        return None
    return ModelRepository(body.repository.owner.login, body.repository.name, body.installation.id)


def _no_installation(name: str) -> IgnoredEvent:
    return IgnoredEvent(f"{name}: it names no installation, so it was not sent to a GitHub App")


def _read(payload: bytes, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(payload, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(f"the payload cannot be read: {error}"[:300], status=400) from error
