from __future__ import annotations

import re

import httpx
import pytest
from local_github_kit import Receiver

from kubeci.local.github.markdown import render
from kubeci.local.github.server import LocalGitHub

HOSTILE = "<script>alert(1)</script>"


@pytest.mark.parametrize(
    ("text", "html"),
    [
        (HOSTILE, "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"),
        ("[x](data:text/html,x)", "<p>[x](data:text/html,x)</p>"),
        ("[x](https://example.com/?a&b)", '<p><a href="https://example.com/?a&amp;b">x</a></p>'),
        ("![x](https://example.com/x.png)", '<p>!<a href="https://example.com/x.png">x</a></p>'),
        ('[x](https://e.com/"onclick="y)', '<p><a href="https://e.com/%22onclick=%22y">x</a></p>'),
        (None, ""),
    ],
)
def test_markdown_is_safe(text: str | None, html: str) -> None:
    assert render(text).strip() == html


def test_markdown_tables() -> None:
    assert "<td>lint</td>" in render("| step |\n|---|\n| lint |\n")


@pytest.fixture
async def run(github: LocalGitHub, http: httpx.AsyncClient) -> str:
    sha = await github.push(
        "acme/widgets", {"src/a.py": "one\ntwo\nthree\nfour\nfive\n"}, message=f"Add {HOSTILE}"
    )
    note = {
        "path": "src/a.py",
        "start_line": 4,
        "end_line": 4,
        "annotation_level": "failure",
        "message": HOSTILE,
    }
    gone = {**note, "path": "gone.py", "title": HOSTILE, "raw_details": HOSTILE}
    output = {"title": HOSTILE, "summary": HOSTILE, "text": "*text*", "annotations": [note, gone]}
    actions = [{"label": "Clear Cache", "description": '"><b>', "identifier": "clearCache"}]
    body = {
        "name": f"ci {HOSTILE}",
        "head_sha": sha,
        "conclusion": "failure",
        "output": output,
        "actions": actions,
    }
    made = await http.post("/repos/acme/widgets/check-runs", json=body)
    return str(made.json()["html_url"])


async def test_each_page_shows_its_things_and_escapes_them(
    github: LocalGitHub, http: httpx.AsyncClient, run: str
) -> None:
    del http.headers["authorization"]
    sha = next(iter(github.state.suites.values())).head_sha
    expected = {
        f"{github.base_url}/": ["acme/widgets", "1 branch<"],
        f"{github.base_url}/acme/widgets": [sha[:7], "main", "1 / 1 checks done"],
        f"{github.base_url}/acme/widgets/commit/{sha}": ["Re-run all checks", "ci &lt;script&gt;", "Failed"],
        run: [
            "Failed",
            "Clear Cache",
            "<em>text</em>",
            "src/a.py",
            "<td>three</td>",
            "gone.py",
            "Raw details",
        ],
        f"{github.base_url}/acme/widgets/blob/{sha}/src/a.py": ['<tr id="L4"><td>4</td><td>four</td></tr>'],
        f"{github.base_url}/deliveries": ["check_suite", "Redeliver"],
        f"{github.base_url}/static/style.css": [".box"],
        f"{github.base_url}/static/live.js": ["fetch("],
    }
    for address, texts in expected.items():
        page = await http.get(address)
        assert page.status_code == 200, address
        assert HOSTILE not in page.text, address
        assert [text for text in texts if text not in page.text] == [], address
    page = await http.get(run)
    assert "default-src 'none'" in page.headers["content-security-policy"]
    outside = re.findall(r'(?:src|href|action)="(?!/|http://127\.0\.0\.1)([^"]*)"', page.text)
    assert outside == []


async def test_buttons_are_delivered(
    github: LocalGitHub, http: httpx.AsyncClient, receiver: Receiver, run: str
) -> None:
    page = await http.get(run)
    await github.settled()
    before = len(receiver.events)
    for action in re.findall(r'<form method="post" action="(/acme/[^"]+)"', page.text):
        form = {"identifier": "clearCache"} if action.endswith("/action") else {}
        answer = await http.post(f"{github.base_url}{action}", data=form, headers={"origin": github.base_url})
        assert answer.status_code == 303
        assert (await http.get(f"{github.base_url}{answer.headers['location']}")).status_code == 200
    suite = next(iter(github.state.suites))
    again = f"{github.base_url}/acme/widgets/suites/{suite}/rerequest"
    assert (await http.post(again)).status_code == 303
    newest = f"{github.base_url}/deliveries/{github.deliveries.sent[0].id}/redeliver"
    assert (await http.post(newest)).status_code == 303
    await github.settled()
    told = [(name, body.get("action")) for name, body, _ in receiver.events[before:]]
    assert told == [
        ("check_run", "rerequested"),
        ("check_run", "requested_action"),
        ("check_suite", "rerequested"),
        ("create", None),
    ]


async def test_another_site_presses_nothing(github: LocalGitHub, http: httpx.AsyncClient, run: str) -> None:
    assert (
        await http.post(f"{run}/rerequest", headers={"origin": "https://evil.example"})
    ).status_code == 403
    assert (await http.post(f"{run}/action", data={"identifier": "rm"})).status_code == 422
    assert (await http.get(run, headers={"host": "evil.example"})).status_code == 400
    assert (await http.post(f"{run}/action", content=b"x" * 20_000)).status_code == 413
    hook = await http.post(f"{github.base_url}/hooks/post-receive", json={}, headers={"x-secret": "guess"})
    assert hook.status_code == 403


async def test_pages_of_nothing(github: LocalGitHub, http: httpx.AsyncClient, run: str) -> None:
    await github.create_repository("acme/empty")
    assert "empty" in (await http.get(f"{github.base_url}/acme/empty")).text
    number = run.rpartition("/")[2]
    for path in (
        "/acme/nothing",
        "/acme/widgets/commit/nothing",
        "/acme/widgets/runs/1",
        f"/acme/empty/runs/{number}",
        "/acme/widgets/blob/main/nothing",
        "/static/../server.py",
        "/static/secret",
    ):
        assert (await http.get(f"{github.base_url}{path}")).status_code == 404, path
