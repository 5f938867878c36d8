from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kubeci.errors import DefinitionError
from kubeci.model.build import BuildRequest
from kubeci.model.cache import CacheClaim
from kubeci.model.repository import Commit, Ref, RefType, Repository
from kubeci.settings.config import CacheDefaults, Config
from kubeci.workflow import metadata
from kubeci.workflow.cache import cache_branch, plan_cache
from kubeci.workflow.claims import belongs_to, claim_manifest, claim_name, repository_labels
from kubeci.workflow.quantity import quantity

REPOSITORY = Repository("acme", "widgets", 7)
SHA = "1" * 40
DEFAULTS = Config(cache_defaults=CacheDefaults("project", "5Gi", "fast"))
FORK = "mallory/widgets"


def request(ref: str = "main", type_: RefType = RefType.BRANCH, fork: str = "") -> BuildRequest:
    return BuildRequest("id", Commit(REPOSITORY, SHA), Ref(ref, type_), automatic=True, head_repository=fork)


def manifest(**annotations: str) -> dict[str, Any]:
    return {"metadata": {"annotations": {metadata.PREFIX + key: value for key, value in annotations.items()}}}


def plan(
    annotations: dict[str, str], config: Config | None = None, wish: BuildRequest | None = None
) -> CacheClaim | None:
    return plan_cache(manifest(**annotations), wish or request(), config or Config())


@pytest.mark.parametrize(
    ("owner", "name", "branch", "expected"),
    [
        ("QubitProducts", "kube-ci", "", "ci-project-qubitproducts-kube-ci-x6dwyvrvj"),
        ("QubitProducts", "kube-ci", "feature/x", "ci-branch-qubitproducts-kube-ci-xwu4jncmn"),
        ("myorg", "my.repo_x", "", "ci-project-myorg-my-repo-x-xwzj1-yqz"),
        ("myorg", "repo", "1.2-rc", "ci-branch-myorg-repo-xq-io-yxd"),
        (
            "a-very-long-organisation-name",
            "a-very-long-repository-name",
            "",
            "isation-name-a-very-long-repository-name-xn5dkgn7c",
        ),
    ],
)
def test_names_are_those_of_the_contract(owner: str, name: str, branch: str, expected: str) -> None:
    assert claim_name(Repository(owner, name, 1), branch) == expected


ASKED = {"cacheScope": "branch", "cacheSize": "1Gi", "cacheStorageClassName": "slow"}


@pytest.mark.parametrize(
    ("annotations", "config", "expected"),
    [
        ({}, Config(), None),
        ({"cacheSize": "1Gi"}, Config(), None),
        ({"cacheScope": "none"}, DEFAULTS, None),
        ({"cacheScope": "none", "cacheName": "mine"}, DEFAULTS, None),
        ({}, DEFAULTS, ("project", "", "5Gi", "fast")),
        ({"cacheScope": "", "cacheSize": "", "cacheName": ""}, DEFAULTS, ("project", "", "5Gi", "fast")),
        ({"cacheScope": "branch"}, DEFAULTS, ("branch", "main", "5Gi", "fast")),
        (ASKED, DEFAULTS, ("branch", "main", "1Gi", "slow")),
        (ASKED, Config(), ("branch", "main", "1Gi", "slow")),
        ({"cacheScope": "project", "cacheSize": "1.5e9"}, Config(), ("project", "", "1.5e9", "")),
    ],
)
def test_annotations_stand_over_the_defaults(
    annotations: dict[str, str], config: Config, expected: tuple[str, ...] | None
) -> None:
    claim = plan(annotations, config)
    found = claim and (claim.scope, claim.branch, claim.size, claim.storage_class_name)
    assert found == expected
    if claim:
        assert claim.name == claim_name(REPOSITORY, claim.branch)
        assert not claim.named


def test_a_named_claim() -> None:
    claim = plan({"cacheName": "go-modules.acme", "cacheScope": "branch"}, DEFAULTS)
    assert claim == CacheClaim("go-modules.acme", "branch", REPOSITORY, "main", "5Gi", "fast", named=True)


@pytest.mark.parametrize(
    ("annotations", "message"),
    [
        ({"cacheScope": "Project"}, "scope should be either none, branch or project"),
        ({"cacheScope": "x" * 9999}, "scope should be either none, branch or project"),
        ({"cacheScope": "project"}, "no size is given"),
        ({"cacheScope": "project", "cacheName": "mine"}, "no size is given"),
        ({"cacheName": "mine"}, "a named cache needs a scope and a size too"),
        ({"cacheName": "mine", "cacheSize": "1Gi"}, "a named cache needs a scope and a size too"),
        ({"cacheScope": "branch", "cacheSize": "lots"}, "the size `lots` is no quantity of Kubernetes"),
        ({"cacheScope": "branch", "cacheSize": "1" * 9999}, "is no quantity of Kubernetes"),
        ({"cacheScope": "branch", "cacheSize": "0"}, "the size `0` is not more than nothing"),
        ({"cacheScope": "branch", "cacheSize": "-1Gi"}, "the size `-1Gi` is not more than nothing"),
        *(
            ({**ASKED, key: value}, "no name in Kubernetes.*DNS-1123 subdomain")
            for key in ("cacheName", "cacheStorageClassName")
            for value in ("Mine", "a_b", "-a", "a-", "a..b", "{{x}}", "../x", "ä", "a\n", "a" * 254)
        ),
    ],
)
def test_what_cannot_be_is_told(annotations: dict[str, str], message: str) -> None:
    with pytest.raises(
        DefinitionError,
        match=f"^creation of cache volume failed, .*{message}",
    ) as caught:
        plan(annotations)
    assert len(str(caught.value)) < 500


def test_a_wrong_default_is_told_to_be_the_servers() -> None:
    with pytest.raises(DefinitionError, match="it comes from the server's settings"):
        plan({}, Config(cache_defaults=CacheDefaults("everything", "1Gi")))


@pytest.mark.parametrize("name", ["a", "1", "a.b-c.2", "a" * 253])
def test_names_that_kubernetes_takes(name: str) -> None:
    claim = plan({**ASKED, "cacheName": name})
    assert claim
    assert claim.name == name


@pytest.mark.parametrize(
    ("wish", "branch"),
    [
        (request("main"), "main"),
        (request("v1", RefType.TAG), "tag:v1"),
        (request("main", fork=FORK), "mallory/widgets:main"),
        (request("", fork=FORK), "mallory/widgets:"),
        (request("", fork="(unknown)"), f"commit:{SHA}"),
        (request("main", fork="(unknown)"), f"commit:{SHA}"),
        (request(""), f"commit:{SHA}"),
    ],
)
def test_a_volume_of_a_branch_is_no_tags_and_no_forks(wish: BuildRequest, branch: str) -> None:
    claim = plan(ASKED, wish=wish)
    assert claim
    assert (claim.branch, claim.scope, claim.name) == (branch, "branch", claim_name(REPOSITORY, branch))


@pytest.mark.parametrize(
    "annotations", [{}, {"cacheScope": "project"}, {"cacheScope": "branch", "cacheName": "mine"}]
)
def test_a_fork_gets_a_volume_of_its_own_whatever_is_asked_for(annotations: dict[str, str]) -> None:
    trusted = plan(annotations, DEFAULTS)
    strange = plan(annotations, DEFAULTS, request(fork=FORK))
    assert trusted
    assert strange
    assert strange.name == claim_name(REPOSITORY, "mallory/widgets:main") != trusted.name
    assert (strange.scope, strange.branch, strange.named) == ("branch", "mallory/widgets:main", False)
    for one, other in ((trusted, strange), (strange, trusted)):
        assert not belongs_to(claim_manifest(one, "ci", "kube-ci"), other.repository, other.branch)


def test_a_fork_that_asks_for_nothing_gets_nothing() -> None:
    assert plan({}, wish=request(fork=FORK)) is None


def test_a_commit_without_a_branch_may_be_a_forks() -> None:
    claim = plan({"cacheName": "mine"}, DEFAULTS, request(""))
    assert claim
    assert (claim.scope, claim.branch, claim.named) == ("branch", f"commit:{SHA}", False)


def test_a_commit_that_is_known_to_be_a_forks_by_other_means() -> None:
    claim = plan_cache(manifest(), request("main"), DEFAULTS, foreign=True)
    assert claim
    assert (claim.scope, claim.branch) == ("branch", f"commit:{SHA}")
    assert cache_branch(request(fork=FORK), foreign=True) == "mallory/widgets:main"


def test_the_claim_that_is_created() -> None:
    claim = CacheClaim("deps", "branch", Repository("My.Org", "Repo_x", 1), "a/b", "5Gi", "fast")
    created = claim_manifest(claim, "builds", "ours")
    assert created["metadata"] == {
        "name": "deps",
        "namespace": "builds",
        "labels": {
            "managedBy": "ours",
            "org": "my-org",
            "repo": "repo-x",
            "scope": "branch",
            "cacheHash": created["metadata"]["labels"]["cacheHash"],
        },
        "annotations": {metadata.ORG: "My.Org", metadata.REPO: "Repo_x", metadata.BRANCH: "a/b"},
    }
    assert re.fullmatch(r"x[-a-z0-9]*[a-z0-9]", created["metadata"]["labels"]["cacheHash"])
    assert created["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "5Gi"}},
        "storageClassName": "fast",
    }
    whole = claim_manifest(CacheClaim("deps", "project", REPOSITORY, "", "5Gi"), "builds", "ours")
    assert "cacheHash" not in whole["metadata"]["labels"]
    assert metadata.BRANCH not in whole["metadata"]["annotations"]
    assert "storageClassName" not in whole["spec"]


def claim_of(name: str = "any", **annotations: str) -> dict[str, Any]:
    return {"metadata": {**manifest(**annotations)["metadata"], "name": name, "labels": {"org": "acme"}}}


@pytest.mark.parametrize(
    ("claim", "branch", "expected"),
    [
        (claim_of(org="acme", repo="widgets"), "", True),
        (claim_of(org="ACME", repo="Widgets"), "", True),
        (claim_of(org="acme", repo="widgets"), None, True),
        (claim_of(org="acme", repo="widgets"), "main", False),
        (claim_of(org="acme", repo="widgets", branch="main"), "main", True),
        (claim_of(org="acme", repo="widgets", branch="main"), None, True),
        (claim_of(org="acme", repo="widgets", branch="main"), "", False),
        (claim_of(org="acme", repo="widgets", branch="Main"), "main", False),
        (claim_of(org="acme", repo="widgets", branch="tag:main"), "main", False),
        (claim_of(org="ac-me", repo="widgets"), None, False),
        (claim_of(org="acme", repo="widgets2"), None, False),
        # Some of our annotations: those decide, whatever its name is.
        (claim_of(claim_name(REPOSITORY, ""), org="acme"), "", False),
        (claim_of(claim_name(REPOSITORY, ""), org="acme", repo="gadgets"), "", False),
        (claim_of(claim_name(REPOSITORY, "main"), branch="main"), "main", False),
        # None of them: the name alone.
        (claim_of(), None, False),
        (claim_of(claim_name(REPOSITORY, "")), "", True),
        (claim_of(claim_name(REPOSITORY, "")), None, True),
        (claim_of(claim_name(REPOSITORY, "")), "main", False),
        (claim_of(claim_name(REPOSITORY, "main")), "main", True),
        (claim_of(claim_name(REPOSITORY, "main")), "other", False),
        (claim_of(claim_name(REPOSITORY, "mallory/widgets:main")), "mallory/widgets:main", False),
        ({}, "main", False),
    ],
)
def test_whose_a_claim_is(claim: dict[str, Any], branch: str | None, expected: bool) -> None:
    assert belongs_to(claim, REPOSITORY, branch) is expected


NAMES = st.from_regex(r"[A-Za-z0-9._-]{1,60}", fullmatch=True)
REPOSITORIES = st.builds(Repository, NAMES, NAMES, st.just(1))
BRANCHES = st.one_of(st.just(""), NAMES, st.text(min_size=1, max_size=80))


@given(REPOSITORIES, BRANCHES)
def test_every_name_is_a_dns_label(repository: Repository, branch: str) -> None:
    name = claim_name(repository, branch)
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", name)
    assert len(name) <= 50
    claim = CacheClaim(name, "branch", repository, branch, "1Gi")
    for value in claim_manifest(claim, "ci", "kube-ci")["metadata"]["labels"].values():
        assert re.fullmatch(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?", value)


@given(REPOSITORIES, REPOSITORIES, BRANCHES)
def test_a_claim_is_its_own_repositorys_alone(one: Repository, other: Repository, branch: str) -> None:
    claim = claim_manifest(CacheClaim("x", "branch", one, branch, "1Gi"), "ci", "kube-ci")
    assert belongs_to(claim, one, branch)
    assert belongs_to(claim, one, None)
    assume(one.full_name.lower() != other.full_name.lower())
    assert not belongs_to(claim, other, None)
    assert not belongs_to(claim, other, branch)


def test_labels_alone_do_not_tell_repositories_apart() -> None:
    one, other = Repository("my.org", "repo", 1), Repository("my-org", "Repo", 1)
    assert repository_labels(one, "kube-ci") == repository_labels(other, "kube-ci")
    assert claim_name(one, "") != claim_name(other, "")


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1", 1),
        ("+1", 1),
        ("0", 0),
        ("-5", -5),
        ("1.", 1),
        (".5", Fraction(1, 2)),
        ("00.50", Fraction(1, 2)),
        ("1Ki", 1024),
        ("1.5Gi", 1536 * 1024**2),
        ("2Ei", 2 * 1024**6),
        ("1k", 1000),
        ("1M", 1000**2),
        ("1G", 1000**3),
        ("1T", 1000**4),
        ("1P", 1000**5),
        ("1E", 1000**6),
        ("1m", Fraction(1, 1000)),
        ("1u", Fraction(1, 1000**2)),
        ("1n", Fraction(1, 1000**3)),
        ("1e3", 1000),
        ("1E3", 1000),
        ("12E-1", Fraction(12, 10)),
        ("1e+9", 10**9),
        *(
            (text, None)
            for text in (
                *(
                    "",
                    " ",
                    ".",
                    "+",
                    "-",
                    "Gi",
                    "e3",
                    "1 Gi",
                    " 1Gi",
                    "1Gi ",
                    "1Gi\n",
                    "1gi",
                    "1GI",
                    "1GB",
                    "1Gib",
                ),
                *(
                    "1K",
                    "1mi",
                    "1Mim",
                    "1e",
                    "1e1.5",
                    "1e3Gi",
                    "1.2.3",
                    "1,5Gi",
                    "--1",
                    "+-1",
                    "0x10",
                    "1_000",
                    "inf",
                ),
                *("٣Gi", "1e999", "1" * 33, "{{x}}"),
            )
        ),
    ],
)
def test_quantities(text: str, amount: Fraction | int | None) -> None:
    assert quantity(text) == amount
