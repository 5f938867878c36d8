"""The log of a container: whole, a part of it, or as it comes."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from starlette.responses import Response, StreamingResponse

from kubeci.local.cluster.answers import HEADERS
from kubeci.local.cluster.status import Cause, bad_request, invalid_kind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from kubeci.local.cluster.call import Call
    from kubeci.local.cluster.logs import LogBuffer, Piece
    from kubeci.model.json import JsonObject

_HEADERS = {**HEADERS, "Content-Type": "text/plain"}
_MINIMA = {"tailLines": 0, "limitBytes": 1, "sinceSeconds": 1}


async def read_log(call: Call) -> Response:
    """Answer with what a container wrote; 204 while the pod is on no node."""
    call.authorize("get", "log")
    numbers = _numbers(call)
    oldest = _oldest(call, numbers["sinceSeconds"])
    pod = call.objects.get(call.resource, call.namespace or "", call.name)
    container = _container(pod, call.query("container"))
    if not (pod.get("spec") or {}).get("nodeName"):
        return Response(status_code=204, headers=HEADERS)
    if call.flag("previous"):
        raise bad_request(f'previous terminated container "{container}" in pod "{call.name}" not found')
    buffer = call.cluster.objects.logs.get((call.namespace or "", call.name, container))
    if buffer is None:
        if waiting := _waiting(pod, container):
            why = f'container "{container}" in pod "{call.name}" is waiting to start: {waiting}'
            raise bad_request(why)
        return Response(b"", headers=_HEADERS)
    return StreamingResponse(_chunks(call, buffer, numbers, oldest), headers=_HEADERS)


async def _chunks(
    call: Call, buffer: LogBuffer, numbers: dict[str, int | None], oldest: int
) -> AsyncIterator[bytes]:
    """Give the log as it is now, then, when it is followed, what comes until the container ends."""
    left = numbers["limitBytes"]
    pieces, position = buffer.pieces()
    pieces = _tail(_since(pieces, oldest), numbers["tailLines"])
    while True:
        text = b"".join(_written(piece, timestamps=call.flag("timestamps")) for piece in pieces)
        if left is not None:
            text = text[:left]
            left -= len(text)
        if text:
            yield text
        pieces, position = buffer.pieces(position)
        if left == 0 or not call.flag("follow") or (buffer.closed and not pieces):
            return
        if not pieces:
            await buffer.wait(position)
            pieces, position = buffer.pieces(position)


def _numbers(call: Call) -> dict[str, int | None]:
    numbers = {key: call.number(key) for key in _MINIMA}
    causes = [
        Cause(
            key,
            f"Invalid value: {value}: must be greater than {'or equal to 0' if not _MINIMA[key] else '0'}",
        )
        for key, value in numbers.items()
        if value is not None and value < _MINIMA[key]
    ]
    if call.query("sinceSeconds") and call.query("sinceTime"):
        why = "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified"
        causes.append(Cause("[]", why, "FieldValueForbidden"))
    if causes:
        raise invalid_kind("PodLogOptions", call.name, causes)
    return numbers


def _container(pod: JsonObject, asked: str) -> str:
    """Give the container to read; raises ApiError 400 when it is not one of the pod, or none of several is named."""
    spec, name = pod.get("spec") or {}, pod["metadata"]["name"]
    names = [c["name"] for key in ("initContainers", "containers") for c in spec.get(key) or []]
    if asked and asked not in names:
        raise bad_request(f"container {asked} is not valid for pod {name}")
    if not asked and len(names) != 1:
        choice = f"choose one of: [{' '.join(names)}]"
        raise bad_request(f"a container name must be specified for pod {name}, {choice}")
    return asked or str(names[0])


def _waiting(pod: JsonObject, container: str) -> str:
    """Say what a container that has not started waits for; "" when it has."""
    status = pod.get("status") or {}
    known = [c for key in ("initContainerStatuses", "containerStatuses") for c in status.get(key) or []]
    state: JsonObject = next((c.get("state") or {} for c in known if c["name"] == container), {})
    if status.get("phase") in {"Succeeded", "Failed"} or "terminated" in state or "running" in state:
        return ""
    return str((state.get("waiting") or {}).get("reason") or "ContainerCreating")


def _oldest(call: Call, seconds: int | None) -> int:
    """Give the time from which on is read, in nanoseconds: `sinceSeconds` ago, or `sinceTime`."""
    if seconds is not None:
        return time.time_ns() - seconds * 1_000_000_000
    text = call.query("sinceTime")
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1_000_000_000) if text else 0
    except ValueError:
        raise bad_request(f'parsing time "{text}": cannot parse as "2006-01-02T15:04:05Z07:00"') from None


def _since(pieces: list[Piece], oldest: int) -> list[Piece]:
    return [piece for piece in pieces if piece.time_ns >= oldest]


def _tail(pieces: list[Piece], lines: int | None) -> list[Piece]:
    if lines is None:
        return pieces
    starts = [number for number, piece in enumerate(pieces) if piece.first]
    if lines >= len(starts):
        return pieces
    return pieces[starts[-lines] :] if lines else []


def _written(piece: Piece, *, timestamps: bool) -> bytes:
    if not (timestamps and piece.first):
        return piece.data
    seconds, rest = divmod(piece.time_ns, 1_000_000_000)
    moment = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{moment}.{rest:09d}Z ".encode() + piece.data
