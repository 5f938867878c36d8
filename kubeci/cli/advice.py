"""What an operator can do about a delivery or a build."""

from __future__ import annotations

from kubeci.cli.stored import moment, short_id
from kubeci.model.build import Build, BuildState
from kubeci.model.check_run import Conclusion
from kubeci.model.inbox import DEFERRED, LIMITED, WAITS, DeliveryRecord, DeliveryState


def of_delivery(record: DeliveryRecord, *, built: bool) -> str:
    """Say what comes next for a delivery, or what would make it come.

    `built`: there are builds of its commit, which tell more once its own work is done.
    """
    name = short_id(record.id)
    if record.state is DeliveryState.WORKING:
        until = moment(record.claimed_until)
        return f"{record.claimed_by} works on it; if that is gone, it is taken up again at {until} UTC"
    if record.state is DeliveryState.WAITING:
        return f"{_waits(record)} at {moment(record.due)} UTC"
    if record.state is DeliveryState.PARKED:
        return (
            f"mend the cause, then `kubeci replay {name}`, or redeliver it on the App's page; "
            f"`kubeci replay {name} --dry-run` tells whether it would work now"
        )
    if built:
        return ""
    return f"nothing is under way for it; `kubeci replay {name} --dry-run` tells what it would lead to now"


def _waits(record: DeliveryRecord) -> str:
    if record.reason.startswith(WAITS):
        return "the cluster cannot take it yet (`kubeci doctor` says what it lacks); it is tried again"
    if record.reason.startswith(LIMITED) or record.reason.startswith(DEFERRED + LIMITED):
        return "GitHub wants no requests for a while, as its limit is used up; it is tried again"
    if record.reason.startswith(DEFERRED):
        return "GitHub did not do what was asked (githubstatus.com); it is tried again"
    return "it is tried again" if record.reason else "its work begins"


def of_build(build: Build, asked: DeliveryRecord | None = None, *, taken: bool = False) -> str:
    """Say what a build waits for, or what would start it anew; empty: nothing is to be done.

    `asked` is the delivery that it was asked for by; `taken`: it is the offer of a step that was run since.
    """
    workflow = f"{build.namespace}/{build.workflow_name}"
    match build.state:
        case BuildState.SUBMITTING:
            why = (
                f"`kubeci explain {short_id(build.delivery_id)}`" if build.delivery_id else "the server's log"
            )
            return f"its workflow is not created yet; {why} says why"
        case BuildState.RUNNING:
            return f"its workflow runs: `argo get --namespace {build.namespace} {build.workflow_name}`"
        case BuildState.OFFERED:
            waits = "a step that is run by hand: it waits until somebody presses Run on its check-run"
            return "" if taken or build.conclusion else waits
        case BuildState.SKIPPED:
            return "nothing had to run; Re-run on its check-run builds it all the same"
        case BuildState.LOST:
            return _lost(build, asked)
        case BuildState.FINISHED if build.conclusion == Conclusion.ACTION_REQUIRED:
            return "somebody who may write presses Run on its check-run, or comments `/kube-ci ok-to-test`"
        case BuildState.FINISHED if not build.workflow_uid and build.conclusion == Conclusion.FAILURE:
            return "no workflow was created; its check-run says why. Re-run there tries it anew"
        case BuildState.FINISHED if build.conclusion in {Conclusion.FAILURE, Conclusion.TIMED_OUT}:
            return f"its check-run says what failed, and so does {workflow} while the cluster keeps it"
        case BuildState.FINISHED:
            return ""


def _lost(build: Build, asked: DeliveryRecord | None) -> str:
    """Say why a build's workflow was never created, by the delivery that gave up, and what builds it."""
    way_out = "Re-run on its check-run builds it"
    if asked is None:
        gone = f" (delivery {short_id(build.delivery_id)} is kept no more)" if build.delivery_id else ""
        return f"its workflow was never created, and nobody was left to do it{gone}; {way_out}"
    name = short_id(asked.id)
    if asked.state is not DeliveryState.PARKED:
        return f"its workflow was never created: delivery {name} ended before that; {way_out}"
    return (
        f"its workflow was never created, as delivery {name} was set aside: {asked.reason.rstrip('.')}; when that is "
        f"mended, {way_out}"
    )
