"""Names fill one segment of a request's path, whatever they are."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeci.errors import Invalid
from kubeci.github.request import Request
from kubeci.model.repository import Repository

ROUTE = "/repos/{owner}/{repo}/commits/{ref}/status"
odd = st.text(st.sampled_from(list("a./\\%?#:@;&=+ \t\n\0é2fF{}")), max_size=12)


@pytest.mark.parametrize("dots", ["", ".", ".."])
@pytest.mark.parametrize("place", ["owner", "repo", "ref"])
def test_dots_lead_nowhere(dots: str, place: str) -> None:
    names = {"owner": "acme", "repo": "widgets", "ref": "main", place: dots}
    request = Request("GET", ROUTE, {"ref": names["ref"]})
    with pytest.raises(Invalid, match=place):
        request.path(Repository(names["owner"], names["repo"], 1))


@given(odd, odd, odd)
def test_a_name_stays_in_its_segment(owner: str, repo: str, ref: str) -> None:
    try:
        path = Request("GET", ROUTE, {"ref": ref}).path(Repository(owner, repo, 1))
    except Invalid:
        assert {owner, repo, ref} & {"", ".", ".."}
        return
    sent = httpx.URL(f"https://github.test/api/v3{path}")
    assert sent.raw_path.decode() == f"/api/v3{path}"
    assert sent.host == "github.test"
    assert len(path.split("/")) == 7
