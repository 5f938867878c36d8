"""What stands between us and an upstream may answer with what it was sent; its words go to logs and check-runs."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from kubeci.cluster.errors import of_answer as of_cluster
from kubeci.errors import UpstreamError
from kubeci.github.errors import of_answer as of_github
from kubeci.github.errors import of_graphql

INSTALLATION = "ghs_0123456789abcdef0123456789abcdef0123"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJpYXQiOjE3NjM3MjAwMDB9.c2lnbmF0dXJlLW9mLXRoZS1hcHA"
STATUSES = (400, 401, 403, 404, 409, 422, 429, 500)


@pytest.mark.parametrize(
    "echoed", [f"Authorization: token {INSTALLATION}", f"Bearer {JWT}", INSTALLATION, JWT]
)
@pytest.mark.parametrize(
    "told",
    [
        lambda status, body: of_github(status, {}, body, call="GET /x", now=0.0),
        lambda status, body: of_cluster(status, {}, body, call="GET /x"),
        lambda _, body: of_graphql([json.loads(body)], {}, now=0.0),
    ],
    ids=["github", "cluster", "graphql"],
)
def test_nothing_of_it_is_repeated(told: Callable[[int, bytes], UpstreamError], echoed: str) -> None:
    body = json.dumps({"message": f"no such request: {echoed}, sorry", "errors": [{"message": echoed}]})
    for status in STATUSES:
        error = told(status, body.encode())
        assert "no such request" in str(error)
        for shown in (str(error), repr(error), error.public):
            assert INSTALLATION not in shown
            assert JWT not in shown


def test_words_that_are_no_json_are_masked_too() -> None:
    page = f"<h1>Bad request</h1><pre>Authorization: Bearer {JWT}</pre>".encode()
    assert JWT not in str(of_cluster(400, {}, page, call="GET /x"))
