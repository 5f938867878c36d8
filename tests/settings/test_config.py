from __future__ import annotations

import re
from typing import Any

import pytest

from kubeci.errors import ConfigurationError
from kubeci.settings.config import CacheDefaults, Config, load_config
from kubeci.settings.duration import Duration, duration_seconds
from kubeci.settings.pattern import Pattern
from kubeci.settings.slack import News, Slack, SlackNews


def load(text: str) -> Config:
    return load_config(text, source="c.yaml").config


def test_an_empty_file_gives_the_originals_defaults() -> None:
    config = load("")
    assert config == Config()
    assert (config.ci_context_path, config.ci_yaml_file, config.ci_starlark_file) == (
        ".kube-ci",
        "ci.yaml",
        "ci.star",
    )
    assert (config.namespace, config.managed_by, config.environment_parameter) == (
        "argo",
        "kube-ci",
        "environment",
    )
    assert config.build_branches == Pattern("master")
    assert config.production_environments == Pattern("^production$")


def test_every_key_of_the_original_is_read() -> None:
    config = load(
        """
        ciContextPath: .ci
        ciYAMLFile: workflow.yaml
        ciStarlarkFile: workflow.star
        namespace: builds
        managedBy: us
        tolerations: [{key: a, operator: Exists, effect: NoExecute, tolerationseconds: 30}]
        nodeSelector: {disk: ssd}
        templates: {go: {description: Go, ci: /t/go.yaml, deploy: /t/deploy.yaml}}
        cacheDefaults: {scope: branch, size: 1Gi, storageClassName: fast}
        buildDraftPRs: true
        buildBranches: ^(main|release-.*)$
        manualTemplates: ^manual-
        essentialTemplates: ^manual-must
        deployTemplates: ^deploy
        productionEnvironments: prod
        environmentParameter: env
        nonInteractiveBranches: ^bot/
        extraParameters: {team: red}
        api: {defaultInstallID: 12}
        """
    )
    assert config.tolerations[0]["tolerationSeconds"] == 30
    assert config.templates["go"].deploy == "/t/deploy.yaml"
    assert config.cache_defaults == CacheDefaults("branch", "1Gi", "fast")
    assert config.build_branches.search("release-1")
    assert config.api.default_install_id == 12
    assert config.extra_parameters == {"team": "red"}


def test_an_unknown_key_is_a_warning_that_names_the_nearest_one() -> None:
    loaded = load_config("buildBranch: main\napi: {defaultInstalID: 3}", source="c.yaml")
    assert loaded.warnings[:2] == (
        "c.yaml: `buildBranch` is not a setting; did you mean `buildBranches`?",
        "c.yaml: `api.defaultInstalID` is not a setting; did you mean `api.defaultInstallID`?",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nodeSelector: {spot: true, 1: 2}", {"node_selector": {"spot": "true", "1": "2"}}),
        (
            "extraParameters: {a: 1, b: 1.50, c: on, d: 2026-01-01}",
            {"extra_parameters": {"a": "1", "b": "1.50", "c": "on", "d": "2026-01-01"}},
        ),
        ("cacheDefaults: {scope: project, size: 5}", {"cache_defaults": CacheDefaults("project", "5")}),
        ("buildBranches: 1", {"build_branches": Pattern("1")}),
        ("buildDraftPRs: yes", {"build_draft_prs": True}),
        ("options: {github.appid: 5, strict: true}", {"options": {"github.appid": 5, "strict": True}}),
        (
            "tolerations: [{key: 1, tolerationSeconds: 30}]",
            {"tolerations": ({"key": 1, "tolerationSeconds": 30},)},
        ),
        ("a: &a {pool: ci}\nnodeSelector: {<<: *a, zone: 1}", {"node_selector": {"pool": "ci", "zone": "1"}}),
        ("namespace:\nmanagedBy: ~", {"namespace": "argo", "managed_by": "kube-ci"}),
        (
            "slack: {news: [{channel: C1, repositories: [.*], on: [failure]}]}",
            {"slack": Slack(news=(SlackNews("C1", (Pattern(".*"),), (News.FAILURE,)),))},
        ),
    ],
)
def test_what_is_wanted_as_text_is_text_however_it_is_written(text: str, expected: dict[str, Any]) -> None:
    config = load(text)
    assert {name: getattr(config, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("namespace: a\nnamespace: b", "c.yaml:2: `namespace` is there twice"),
        ("nodeSelector: &a {b: *a}", "c.yaml is not YAML: found unconstructable recursive node"),
        ("nodeSelector: {spot: [1]}", "`nodeSelector"),
    ],
)
def test_what_cannot_be_read_is_told(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        load(text)


def test_unknown_keys_are_found_in_lists_and_mappings() -> None:
    text = "api: {tokens: [{name: a, tokenFile: /t, verb: [read]}]}\ntemplates: {go: {cli: x}}"
    assert load_config(text, source="c.yaml").warnings == (
        "c.yaml: `api.tokens[0].verb` is not a setting; did you mean `api.tokens[0].verbs`?",
        "c.yaml: `templates.go.cli` is not a setting; did you mean `templates.go.ci`?",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("buildBranches: '('", "`buildBranches`: `(` is not a regular expression"),
        ("buildBranches: [3]", "`buildBranches`: Expected a regular expression"),
        ("buildBranches: '" + "a" * 5000 + "'", "`buildBranches`: a pattern of 5000 characters"),
        ("namespace: Not_A_Name", "`namespace`"),
        ("templates: 3", "`templates`"),
        ("- a", "must be a mapping"),
        ("a: [", "is not YAML"),
        ("tolerations: 3", "`tolerations`"),
    ],
)
def test_a_wrong_value_is_an_error_that_names_the_key(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        load(text)
    assert message in str(raised.value)
    assert str(raised.value).startswith("c.yaml")


def test_strict_makes_an_unknown_key_an_error() -> None:
    with pytest.raises(ConfigurationError, match="did you mean `namespace`"):
        load_config("namespac: x", source="c.yaml", strict=True)


def test_patterns_are_searched_not_anchored() -> None:
    assert Pattern("master").search("webmaster-x")
    assert not Pattern("^master$").search("webmaster-x")


def test_a_pattern_that_makes_backtracking_engines_hang_is_quick() -> None:
    assert not Pattern("(a+)+$").search("a" * 50_000 + "b")


@pytest.mark.parametrize(
    ("text", "seconds"), [("2s", 2), ("1m30s", 90), ("500ms", 0.5), ("1.5h", 5400), ("0", 0), (".5s", 0.5)]
)
def test_durations_are_gos(text: str, seconds: float) -> None:
    assert duration_seconds(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "2", "s", "2s3", "-1s", "1d", "2 s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        duration_seconds(text)


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("cacheDefaults: {scope: global, size: 1Gi}", "`cacheDefaults.scope` is `global`"),
        ("cacheDefaults: {scope: branch}", "without `cacheDefaults.size`"),
        ("pages: {userHeader: X-User}", "only together"),
        ("pages: {proxies: [10.0.0.0/8]}", "only together"),
    ],
)
def test_what_comes_to_nothing_is_told(text: str, warning: str) -> None:
    [told] = load_config(text, source="c.yaml").warnings
    assert warning in told


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "trust: {forkPullReques: {member: build}}",
            "c.yaml:1: `trust`: `forkPullReques` is not known; did you mean `forkPullRequest`?",
        ),
        ("trust: {push: {members: build}}", "`trust.push`: `members` is not known; did you mean `member`?"),
        (
            "trust: {push: {member: yes}}",
            "`trust.push.member`: `yes` is not known; one of `build`, `ask`, `ignore`",
        ),
        (
            "slack: {access: [{repositories: [a], verbs: [bild]}]}",
            "`slack.access[0].verbs[0]`: `bild` is not known; did you mean `build`?",
        ),
    ],
)
def test_a_word_that_is_not_known_is_told_with_those_that_are(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        load(text)


def test_durations_are_read_as_they_are_written() -> None:
    config = load("sweepInterval: 2s\nretention: 1h30m\n")
    assert (config.sweep_interval, config.retention) == (Duration("2s"), Duration("90m"))
    with pytest.raises(ConfigurationError, match=r"`sweepInterval`: `soon` is not a duration"):
        load("sweepInterval: soon\n")
