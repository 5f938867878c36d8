"""Check-runs of builds that never became a workflow: errors and refusals.

Unless a build's own check-run exists already they are called `Default Workflow`: no branch protection can take them
for a passed `Workflow - …` (contract, sections 6 and 11).
"""

from __future__ import annotations

from dataclasses import replace

from kubeci.errors import DefinitionError, KubeCIError
from kubeci.model.check_run import Action, Annotation, CheckRun, Conclusion, Status
from kubeci.model.decision import Refused
from kubeci.report.markdown import code, cut, fence
from kubeci.report.plain import one_line, plain

DEFAULT_NAME = "Default Workflow"
ERROR_TITLE = "Workflow Setup"
WAITING_TITLE = "Workflow Waiting"
REFUSED_TITLE = "Workflow Not Started"
SKIPPED_TITLE = "Workflow Skipped"
LOST_TITLE = "Workflow Lost"
SUPERSEDED_TITLE = "Workflow Built"
NOT_PARSED = "unable to parse workflow, "
NOT_ALLOWED = "the workflow may not have what it asks for, "
RUN_BUTTON = Action("Run", "run this workflow template manually", "run")


def definition_failed(
    error: KubeCIError, *, prefix: str, name: str = DEFAULT_NAME, external_id: str = "", details_url: str = ""
) -> CheckRun:
    """Give the failed check-run for an error before the workflow ran.

    `prefix` is what people know the kind of error by, such as `NOT_PARSED`.
    """
    first, *rest = error.public.splitlines() or ["unknown error"]
    summary = prefix + (code(first, 2000) or "unknown error")
    if any(line.strip() for line in rest):
        summary += "\n\n" + fence(rest)
    return CheckRun(
        name=name,
        status=Status.COMPLETED,
        conclusion=Conclusion.FAILURE,
        title=ERROR_TITLE,
        summary=cut(summary),
        external_id=external_id,
        details_url=details_url,
    )


def why_of(check: CheckRun) -> str:
    """Give the first line of what a check-run says, in one line without Markdown; what follows is read there."""
    first = check.summary.partition("\n")[0].removeprefix(NOT_PARSED)
    before, tick, rest = first.partition("`")
    inner = rest.lstrip("`")
    ticks = tick + rest[: len(rest) - len(inner)]
    if ticks and inner.endswith(ticks):
        # A span of code pads what begins or ends with a backtick.
        first = before + inner.removesuffix(ticks).removeprefix(" ").removesuffix(" ")
    return one_line(first, 500)


def annotation_of(error: KubeCIError) -> Annotation | None:
    """Give the annotation that shows an error at its place in the CI files; None: the place is unknown or elsewhere."""
    if not isinstance(error, DefinitionError) or error.where is None or error.where.line < 1:
        return None
    if "://" in error.where.path:  # a module of another repository: the commit has no such file
        return None
    text = f"{error.message}; {error.hint}" if error.hint else error.message
    return Annotation(
        path=error.where.path, line=error.where.line, level="failure", message=cut(plain(text), 16_384)
    )


def waiting(check: CheckRun, why: str) -> CheckRun:
    """Give the queued check-run of a build that the cluster cannot take yet; nobody has to do anything to the commit."""
    told = f"Waiting for the cluster: {code(why, 500)}. The build begins by itself when that has passed."
    return replace(check, title=WAITING_TITLE, summary=cut(told))


_CAUSES = {
    "RateLimited": "GitHub let the server ask no more for too long",
    "Unready": "the cluster was away for too long",
    "Forbidden": "a right of the server is missing",
    "NotFound": "something that it needs is not there",
    "Invalid": "GitHub or the cluster refused what was asked",
    "UpstreamError": "GitHub or the cluster failed for too long",
}
"""What may be told of the errors by which work is set aside; their texts are for the operator."""


def lost_because(reason: str) -> str:
    """Say why a build was lost, out of the reason for which the inbox set its delivery aside; the text is for anybody."""
    kind = reason.partition(":")[0]
    return _CAUSES.get(kind, "the server broke off while it was submitted")


_MENDED_BY_OPERATORS = frozenset(_CAUSES[kind] for kind in ("Forbidden", "NotFound", "Invalid"))


def lost(check: CheckRun, why: str, sha: str) -> CheckRun:
    """Give the check-run of a commit's build that nobody will submit any more; GitHub offers to re-run what is completed."""
    way_out = "Re-run this check to build the commit."
    if why in _MENDED_BY_OPERATORS:
        way_out = f"Tell the operator ({code(f'kubeci explain {sha[:7]}')}); when it is mended, Re-run builds the commit."
    return replace(
        check,
        status=Status.COMPLETED,
        conclusion=Conclusion.CANCELLED,
        title=LOST_TITLE,
        summary=cut(f"This build was lost before its workflow was created: {why}. {way_out}"),
        actions=(),
    )


def unfollowed(why: str) -> str:
    """Give the words below a check-run whose workflow goes on, unseen by us."""
    return (
        f"The workflow goes on in the cluster, but its changes do not reach the server: {code(why, 500)}. "
        "They are told here late, or when that has passed."
    )


def refused(refusal: Refused) -> CheckRun:
    """Give the check-run that tells why nothing was started, and what would start it."""
    return CheckRun(
        name=DEFAULT_NAME,
        status=Status.COMPLETED,
        conclusion=refusal.conclusion,
        title=REFUSED_TITLE,
        summary=cut(refusal.reason),
        actions=(RUN_BUTTON,) if refusal.ask else (),
    )


def skipped(name: str, external_id: str, reason: str) -> CheckRun:
    """Give the check-run of a workflow that has nothing to do; skipped satisfies a required check, as it should."""
    return CheckRun(
        name=name,
        status=Status.COMPLETED,
        conclusion=Conclusion.SKIPPED,
        title=SKIPPED_TITLE,
        summary=cut(f"Nothing needs to run: {plain(reason)}"),
        external_id=external_id,
    )


def refusal_superseded(by: str, name: str = DEFAULT_NAME) -> CheckRun:
    """Give what a refusal's check-run becomes once the commit is built after all, by the check-run of another name."""
    return CheckRun(
        name=name,
        status=Status.COMPLETED,
        conclusion=Conclusion.NEUTRAL,
        title=SUPERSEDED_TITLE,
        summary=f"superseded by {code(by)}",
    )
