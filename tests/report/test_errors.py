from __future__ import annotations

import pytest

from kubeci.errors import DefinitionError, KubeCIError, Location, UpstreamError
from kubeci.model.check_run import Annotation, CheckRun, Conclusion, Status
from kubeci.model.decision import Refused
from kubeci.report.errors import (
    NOT_PARSED,
    annotation_of,
    definition_failed,
    lost,
    lost_because,
    refusal_superseded,
    refused,
    why_of,
)

MISSPELT = DefinitionError(
    "`imge` is not a field of a container template",
    where=Location(".kube-ci/ci.yaml", 14, 9),
    hint="did you mean `image`?",
)


@pytest.mark.parametrize(
    ("error", "summary"),
    [
        (
            MISSPELT,
            "unable to parse workflow, ``.kube-ci/ci.yaml:14:9: `imge` is not a field of a container template; did you mean `image`?``",
        ),
        (
            DefinitionError("bad\nline 1\nline 2"),
            "unable to parse workflow, `bad`\n\n```text\nline 1\nline 2\n```",
        ),
        (UpstreamError("no answer"), "unable to parse workflow, `no answer`"),
        (DefinitionError(""), "unable to parse workflow, `unknown error`"),
        (DefinitionError("@everyone <b>"), "unable to parse workflow, `@everyone <b>`"),
    ],
)
def test_an_error_says_what_and_where(error: KubeCIError, summary: str) -> None:
    check = definition_failed(error, prefix="unable to parse workflow, ")
    assert (check.name, check.status, check.conclusion) == (
        "Default Workflow",
        Status.COMPLETED,
        Conclusion.FAILURE,
    )
    assert check.summary == summary


def test_a_huge_error_fits() -> None:
    assert len(definition_failed(DefinitionError("x\n" * 90_000), prefix="p, ").summary.encode()) <= 65_535


def test_an_error_with_a_place_is_shown_there() -> None:
    text = "`imge` is not a field of a container template; did you mean `image`?"
    assert annotation_of(MISSPELT) == Annotation(".kube-ci/ci.yaml", 14, "failure", text)
    assert annotation_of(DefinitionError("no place")) is None
    elsewhere = Location("github://lib.acme/steps.star?ref=v1", 3, 1)
    assert annotation_of(DefinitionError("in no file of the commit", where=elsewhere)) is None
    assert annotation_of(UpstreamError("no answer")) is None


def test_a_refusal_never_takes_a_workflows_name() -> None:
    reason = "auto checks Draft PRs are disabled, you can run manually using `/kube-ci run`"
    check = refused(Refused(reason, Conclusion.ACTION_REQUIRED))
    assert (check.name, check.conclusion, check.summary) == (
        "Default Workflow",
        Conclusion.ACTION_REQUIRED,
        reason,
    )
    after = refusal_superseded("Workflow - ci")
    assert (after.name, after.conclusion, after.summary) == (
        "Default Workflow",
        Conclusion.NEUTRAL,
        "superseded by `Workflow - ci`",
    )


@pytest.mark.parametrize(
    ("reason", "operator"),
    [
        ("Forbidden: GitHub answered 403", True),
        ("NotFound: x", True),
        ("Invalid: x", True),
        ("RateLimited: x", False),
        ("", False),
    ],
)
def test_what_only_the_operator_can_mend_is_not_answered_by_re_run(reason: str, operator: bool) -> None:
    told = lost(CheckRun("Workflow - ci", Status.QUEUED, "", ""), lost_because(reason), "1a2b3c4d5e6f")
    assert ("Tell the operator (`kubeci explain 1a2b3c4`)" in told.summary) is operator
    assert ("Re-run this check to build the commit." in told.summary) is not operator


def test_the_first_line_of_a_failure_without_markdown() -> None:
    error = DefinitionError("no `spec`\nmore", where=Location(".kube-ci/ci.yaml", 3))
    assert why_of(definition_failed(error, prefix=NOT_PARSED)) == ".kube-ci/ci.yaml:3: no `spec`"
