"""Which cache volume a build gets."""

from __future__ import annotations

import pytest
from cache_kit import REPOSITORY, manifest

from kubeci.errors import DefinitionError
from kubeci.model.build import BuildRequest
from kubeci.model.cache import CacheClaim
from kubeci.model.repository import Commit, Ref, RefType
from kubeci.settings.config import CacheDefaults, Config
from kubeci.workflow.cache import cache_branch, plan_cache
from kubeci.workflow.claims import belongs_to, claim_manifest, claim_name

SHA = "1" * 40
DEFAULTS = Config(cache_defaults=CacheDefaults("project", "5Gi", "fast"))
FORK = "mallory/widgets"


def request(ref: str = "main", type_: RefType = RefType.BRANCH, fork: str = "") -> BuildRequest:
    return BuildRequest("id", Commit(REPOSITORY, SHA), Ref(ref, type_), automatic=True, head_repository=fork)


def plan(
    annotations: dict[str, str], config: Config | None = None, wish: BuildRequest | None = None
) -> CacheClaim | None:
    return plan_cache(manifest(**annotations), wish or request(), config or Config())


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
