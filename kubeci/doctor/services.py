"""Do argo-server and Slack answer, where they are configured?"""

from __future__ import annotations

from collections.abc import Sequence

from kubeci.cluster.argo_look import argo_version
from kubeci.cluster.argo_server_http import trusting
from kubeci.doctor.check import SkippedError
from kubeci.doctor.finding import Finding, Group, State
from kubeci.doctor.subject import ANSWER_SECONDS, Looked
from kubeci.errors import Forbidden, UpstreamError
from kubeci.slack.connect import connect


async def argo_server(looked: Looked) -> Sequence[Finding]:
    """Ask argo-server for its version."""
    subject, options = looked.subject, looked.subject.options
    if subject.unread & {"argo-server", "argo-tokenfile"}:
        raise SkippedError("--argo-server or --argo-tokenfile could not be read (see settings)")
    if not options.argo_server:
        told = "none is configured (--argo-server): Re-run builds anew what failed, logs of pods that are gone are not there"
        return [Finding(Group.ARGO_SERVER, "argo-server", State.OK, told)]
    why = "Re-run retries only what failed by it"
    try:
        version = await argo_version(
            options.argo_server,
            options.argo_token,
            trust_env=subject.trust_env,
            tls=trusting(options.argo_ca) if options.argo_ca else subject.tls,
            answer_seconds=ANSWER_SECONDS,
        )
    except Forbidden as error:
        return [
            _no_argo_server(
                "token",
                str(error),
                why,
                "put a token of an account that it knows into --argo-tokenfile",
                "argo auth token",
            )
        ]
    except UpstreamError as error:
        remedy = f"is --argo-server {options.argo_server} right, and does it run?"
        command = "kubectl get pods --all-namespaces --selector app=argo-server"
        return [_no_argo_server("argo-server", str(error), why, remedy, command)]
    return [Finding(Group.ARGO_SERVER, "argo-server", State.OK, f"answers and takes the token; {version}")]


def _no_argo_server(name: str, found: str, why: str, remedy: str, command: str) -> Finding:
    return Finding(Group.ARGO_SERVER, name, State.WRONG, found, why, remedy, command)


async def slack(looked: Looked) -> Sequence[Finding]:
    """Ask Slack whose the token is."""
    subject, options = looked.subject, looked.subject.options
    if subject.unread & {"slack.tokenfile", "slack.secretfile"}:
        raise SkippedError("--slack.tokenfile or --slack.secretfile could not be read (see settings)")
    if not options.slack_token:
        return []
    try:
        async with connect(options.slack_token, options.slack_url, trust_env=subject.trust_env) as client:
            who = await client.who()
    except UpstreamError as error:
        return [
            Finding(
                Group.SLACK,
                "token",
                State.WRONG,
                str(error),
                "news to channels, and answers to commands",
                "copy the Bot User OAuth Token from the Slack app's page, under OAuth & Permissions, into --slack.tokenfile",
            )
        ]
    return [Finding(Group.SLACK, "token", State.OK, f"it is {who}")]
