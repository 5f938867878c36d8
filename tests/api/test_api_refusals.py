"""What is wrong is said in one shape, with the field, and nothing is changed by it."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from api_kit import OTHER, REPOSITORY, SHA, Api, api_in, steps

from kubeci.local.stack import StackSettings
from kubeci.model.trust import Answer, What, Who
from kubeci.settings.config import Config
from kubeci.settings.pattern import Pattern

pytestmark = pytest.mark.asyncio(loop_scope="module")


GOOD = {"org": "acme", "repo": "widgets", "ref": "main", "hash": SHA}

BODIES = [
    # name of the case, what is changed of a good body, status, field, words of the message
    ("an unknown field", {"colour": "red"}, 422, "colour", "unknown field"),
    ("no hash", {"hash": None}, 422, "hash", "str"),
    ("a short hash", {"hash": "abc"}, 422, "hash", "regex"),
    ("a hash with a line break", {"hash": f"{SHA}\n"}, 422, "hash", "line break"),
    ("no such commit", {"hash": "f" * 40}, 404, None, "has no commit"),
    ("an owner that is none", {"org": "a/b"}, 422, "org", "regex"),
    ("dots for a repository", {"repo": ".."}, 422, "repo", "regex"),
    ("no such repository", {"repo": "gone"}, 404, None, "there is no repository acme/gone"),
    ("a full ref", {"ref": "refs/heads/main"}, 422, "ref", "regex"),
    ("another kind of ref", {"ref_type": "note"}, 422, "ref_type", "Invalid enum"),
    ("text for a switch", {"run": "yes"}, 422, "run", "bool"),
    ("a number for a file", {"ci_context": {"ci.yaml": 1}}, 422, "ci_context", "str"),
    ("a file outside", {"ci_context": {"../ci.yaml": "x"}}, 422, "ci_context", "plain relative name"),
    ("an absolute file", {"ci_context": {"//ci.yaml": "x"}}, 422, "ci_context", "plain relative name"),
    ("a file twice", {"ci_context": {"/ci.yaml": "x", "ci.yaml": "y"}}, 422, "ci_context", "twice"),
    ("a deep file", {"ci_context": {"a/b/c/d/e/f": "x"}}, 422, "ci_context", "deeper"),
    (
        "many files",
        {"ci_context": {f"{n}.txt": "x" for n in range(201)}},
        422,
        "ci_context",
        "first 200 files",
    ),
    ("a large file", {"ci_context": {"ci.yaml": "é" * 500_001}}, 422, "ci_context", "1,000,002 bytes"),
    ("a binary file", {"ci_context": {"ci.yaml": "a\0b"}}, 422, "ci_context", "binary"),
    ("a context without a definition", {"ci_context": {}}, 422, None, "no CI definition"),
    (
        "nothing to run",
        {"ci_context": {"ci.star": "workflow = None"}},
        422,
        None,
        "nothing to run",
    ),
    (
        "an unknown template",
        {"entrypoint": "deplyo", "ci_context": {"ci.yaml": steps("true")}},
        422,
        None,
        "deplyo",
    ),
    ("no definition in the repository", {}, 422, None, "no CI definition"),
]


async def test_bad_bodies_are_refused_with_the_field(shared: Api) -> None:
    sha = await shared.push({"README.md": "none"})
    wrong = {}
    for name, changes, status, field, words in BODIES:
        for run in (False, True):
            body = {**GOOD, "hash": sha, "run": run, **changes}
            body = {key: value for key, value in body.items() if value is not None}
            answer = await shared("POST", "/run", json=body)
            said = answer.json()
            expected = (status, field, "application/json")
            found = (answer.status_code, said.get("field"), answer.headers["content-type"])
            if found != expected or (words not in said["message"] and name != "no hash"):
                wrong[name] = (found, said)
    assert wrong == {}
    assert (await shared("GET", "/runs")).json()["runs"] == []
    assert not shared.stack.github.state.runs


async def test_a_missing_field_is_named(shared: Api) -> None:
    for field in GOOD:
        body = {key: value for key, value in GOOD.items() if key != field}
        said = (await shared("POST", "/run", json=body)).json()
        assert said == {"message": f"Object missing required field `{field}`", "field": field}


REQUESTS = [
    # who, method, path, status, words
    ("", "GET", "/runs", 401, "send a token"),
    ("nobody", "GET", "/runs", 401, "unknown"),
    ("", "POST", "/run", 401, "send a token"),
    ("", "GET", f"/runs/{SHA}/logs?node=x", 401, "send a token"),
    ("renderer", "GET", "/runs", 403, "`renderer` may not read"),
    ("stranger", "GET", f"/runs?repository={REPOSITORY}", 403, f"`stranger` may not read in {REPOSITORY}"),
    ("reader", "GET", f"/runs?repository={OTHER}", 403, f"`reader` may not read in {OTHER}"),
    ("ops", "GET", f"/runs/{SHA}", 404, "no such run"),
    ("ops", "GET", "/runs/1", 404, "no such run"),
    ("ops", "POST", f"/runs/{SHA}/cancel", 404, "no such run"),
    ("ops", "POST", f"/runs/{SHA}/retry", 404, "no such run"),
    ("ops", "GET", f"/runs/{SHA}/logs?node=x", 404, "no such run"),
    ("ops", "GET", f"/runs/{SHA}/logs", 422, "node"),
    ("ops", "GET", "/runs?limit=0", 422, "limit"),
    ("ops", "GET", "/runs?limit=201", 422, "limit"),
    ("ops", "GET", "/runs?limit=many", 422, "limit"),
    ("ops", "GET", "/runs?before=yesterday", 422, "before"),
    ("ops", "GET", "/runs?colour=red", 422, "colour"),
    ("ops", "GET", "/runs?limit=1&limit=2", 422, "twice"),
    ("ops", "GET", "/runs?repository=a%0A/b", 422, "repository"),
    ("ops", "GET", "/run", 405, "not allowed"),
    ("ops", "DELETE", "/runs", 405, "not allowed"),
    ("", "GET", "/nothing", 404, "openapi.json"),
]


async def test_bad_requests_are_refused_in_one_shape(shared: Api) -> None:
    wrong = {}
    for by, method, path, status, words in REQUESTS:
        answer = await shared(method, path, by=by)
        said = answer.json()
        fits = (
            answer.status_code == status
            and words in said["message"] + said.get("field", "")
            and answer.headers["cache-control"] == "no-store"
            and answer.headers["content-type"] == "application/json"
            and ("www-authenticate" in answer.headers) is (status == 401)
            and ("allow" in answer.headers) is (status == 405)
        )
        if not fits:
            wrong[method, path, by] = (answer.status_code, dict(answer.headers), said)
    assert wrong == {}


async def test_a_token_does_only_what_its_verbs_say(shared: Api) -> None:
    sha = await shared.push({"README.md": "none"})
    context = {"ci.yaml": steps("true")}
    started = await shared.run(sha, ci_context=context, run=True)
    run_id = started.json()["run"]["id"]
    for by, method, path, verb in (
        ("renderer", "GET", f"/runs/{run_id}", "read"),
        ("renderer", "GET", f"/runs/{run_id}/logs?node=x", "read"),
        ("reader", "POST", f"/runs/{run_id}/cancel", "cancel"),
        ("reader", "POST", f"/runs/{run_id}/retry", "retry"),
    ):
        refused = await shared(method, path, by=by)
        assert refused.status_code == 403, path
        assert refused.json()["message"] == f"the token `{by}` may not {verb} in {REPOSITORY}"
    for by, run, verb in (("renderer", True, "run"), ("runner", False, "render"), ("stranger", True, "run")):
        refused = await shared.run(sha, ci_context=context, run=run, by=by)
        assert refused.status_code == 403
        assert refused.json()["message"] == f"the token `{by}` may not {verb} in {REPOSITORY}"
    [only] = (await shared("GET", "/runs")).json()["runs"]
    assert (only["id"], only["stopped"]) == (run_id, "")


async def test_the_trust_table_comes_on_top(tmp_path: Path) -> None:
    rows = {What.API: dict.fromkeys(Who, Answer.IGNORE)}
    settings = StackSettings(engine=False, config=Config(build_branches=Pattern("."), trust=rows))
    async with api_in(tmp_path, settings) as api:
        sha = await api.push({".kube-ci/ci.yaml": steps("true")})
        run_id = await api.built(sha)
        refused = await api.run(sha, run=True)
        assert (refused.status_code, refused.json()["message"]) == (
            409,
            "trust: api by a stranger is ignored",
        )
        refused = await api("POST", f"/runs/{run_id}/cancel")
        assert refused.status_code == 409
        assert "trust table" in refused.json()["message"]
        assert (await api.run(sha)).status_code == 200
        [run] = (await api("GET", "/runs")).json()["runs"]
        assert (run["id"], run["stopped"]) == (run_id, "")


async def test_a_token_reaches_repositories_by_the_name_that_github_gives_them(shared: Api) -> None:
    sha = await shared.push({".kube-ci/ci.yaml": steps("true")}, OTHER)
    body = {"org": "acme", "repo": "SECRETS", "ref": "main", "hash": sha}
    assert (await shared("POST", "/run", json=body)).status_code == 200
    hidden = await shared("POST", "/run", json=body, by="shouter")
    assert hidden.status_code == 404
    assert hidden.json() == {"message": "acme/SECRETS is not served here"}


async def test_bodies_and_headers_that_are_none(shared: Api) -> None:
    for content, status in (
        (b"{", 400),
        (b"\xff", 400),
        (b'{"org": "\xff"}', 400),
        (b"", 400),
        (b"[]", 422),
        (b"x" * 5_000_001, 413),
    ):
        answer = await shared("POST", "/run", content=content)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json"), content
        assert answer.json()["message"]
    refused = await shared("POST", "/run", json=GOOD, headers={"Idempotency-Key": "a b"})
    assert (refused.status_code, refused.json()["field"]) == (422, "Idempotency-Key")


async def test_without_tokens_everybody_is_told_how_to_configure_one(tmp_path: Path) -> None:
    async with api_in(tmp_path, StackSettings(engine=False), tokens=()) as api:
        for by in ("", "ops"):
            refused = await api("GET", "/runs", by=by)
            assert refused.status_code == 401
            assert "api.tokens" in refused.json()["message"]
        described = await api.client.get("/api/openapi.json")
        assert described.status_code == httpx.codes.OK
