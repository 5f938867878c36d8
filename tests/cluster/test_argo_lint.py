"""Lints by argo-server: what is said of a workflow, and what of the server."""

from __future__ import annotations

import json

import pytest
from argo_server_kit import TOKEN, Odd, dropped, in_json, workflow
from cluster_kit import PLAIN
from starlette.responses import Response
from starlette.types import ASGIApp

from kubeci.cluster.argo_server import ArgoServer
from kubeci.errors import Forbidden, NotFound, UpstreamError
from kubeci.local.serving import serving


async def test_a_lint(argo: ArgoServer) -> None:
    manifest = {"metadata": {"name": "ci"}, "spec": workflow("")["spec"]}
    assert await argo.lint("ci", manifest) == ""
    manifest["spec"] = {**manifest["spec"], "entrypoint": "other"}
    assert await argo.lint("ci", manifest) == "template name 'other' undefined"


async def test_what_a_lint_sends_is_the_manifest_as_it_is() -> None:
    odd = Odd(in_json(200, "{}"))
    async with serving(odd) as url:
        argo = ArgoServer(url, TOKEN, trust_env=False, tls=PLAIN)
        manifest = {"metadata": {"namespace": "ci"}, "spec": {"newer": {"field": 1}}}
        assert await argo.lint("ci", manifest) == ""
        await argo.aclose()
    method, path, authorization, body = odd.asked[0]
    assert (method, path, authorization) == ("POST", "/api/v1/workflows/ci/lint", f"Bearer {TOKEN}")
    assert json.loads(body) == {"namespace": "ci", "workflow": manifest}


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (in_json(400, '{"code": 3, "message": "templates.a is wrong"}'), "templates.a is wrong"),
        (in_json(500, '{"code": 2, "message": "templates.a\\n is wrong"}'), "templates.a is wrong"),
        (in_json(400, '{"code": 3, "message": "\\u001b[2Ja \\u001b]0;title\\u0007b\\u202e"}'), "a b[U+202E]"),
        (
            in_json(404, '{"code": 5, "message": "workflowtemplates \\"t\\" not found"}'),
            'workflowtemplates "t" not found',
        ),
        (in_json(501, '{"code": 12, "message": "Not Implemented"}'), UpstreamError),
        (Response("404 page not found", 404), NotFound),
        (in_json(403, '{"code": 7, "message": "no"}'), Forbidden),
        (in_json(500, '{"code": 13, "message": "panic"}'), UpstreamError),
        (in_json(500, '{"code": "2", "message": "odd"}'), UpstreamError),
        (Response("<html>log in", 200), UpstreamError),
        (dropped, UpstreamError),
    ],
)
async def test_what_is_said_of_a_workflow_and_what_of_argo_server(
    answer: ASGIApp, found: str | type[UpstreamError]
) -> None:
    async with serving(answer) as url:
        argo = ArgoServer(url, TOKEN, trust_env=False, tls=PLAIN)
        if isinstance(found, str):
            assert await argo.lint("ci", {}) == found
        else:
            with pytest.raises(found):
                await argo.lint("ci", {})
        await argo.aclose()
