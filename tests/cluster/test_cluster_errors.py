from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kubeci.cluster.errors import of_answer, of_failure
from kubeci.errors import Conflict, Forbidden, Invalid, NotFound, RateLimited, UpstreamError

RECORDINGS = Path(__file__).parent.parent / "data" / "argo-api"
KINDS = {
    400: Invalid,
    401: Forbidden,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: NotFound,
    415: Invalid,
    422: Invalid,
}


def refusals() -> list[Any]:
    recordings = (json.loads(path.read_text()) for path in sorted(RECORDINGS.glob("*.json")))
    return [pytest.param(r, id=r["name"]) for r in recordings if r["response"]["status"] >= 400]


@pytest.mark.parametrize("recording", refusals())
def test_recorded_refusals_keep_kind_and_words(recording: dict[str, Any]) -> None:
    response = recording["response"]
    body = response["body"]
    content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    error = of_answer(response["status"], response["headers"], content, call="GET /x")
    assert type(error) is KINDS.get(response["status"], UpstreamError)
    assert error.retryable is (response["status"] >= 500)
    assert str(error).startswith(f"the cluster answered {response['status']} to GET /x: ")
    assert (body["message"] if isinstance(body, dict) else body.strip())[:2000] in str(error)


@pytest.mark.parametrize(
    ("headers", "seconds"), [({"Retry-After": "3"}, 3.0), ({}, 1.0), ({"Retry-After": "soon"}, 1.0)]
)
def test_too_many_requests(headers: dict[str, str], seconds: float) -> None:
    error = of_answer(429, headers, b"slow down", call="GET /x")
    assert isinstance(error, RateLimited)
    assert error.retry_after == seconds


def test_a_container_that_has_not_started_may_be_asked_again() -> None:
    message = 'container "main" in pod "p" is waiting to start: PodInitializing'
    error = of_answer(400, {}, json.dumps({"message": message}).encode(), call="GET /x")
    assert isinstance(error, Invalid)
    assert error.retryable


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff\xfe", b"[" * 60_000, b"x" * 60_000])
def test_any_content_makes_a_short_text(content: bytes) -> None:
    assert len(str(of_answer(500, {}, content, call="GET /x"))) < 2100


@pytest.mark.parametrize(
    ("failure", "words"), [(TimeoutError(), "did not answer GET /x in time"), (OSError("reset"), "reset")]
)
def test_of_failure(failure: Exception, words: str) -> None:
    error = of_failure(failure, call="GET /x")
    assert words in str(error)
    assert error.retryable
