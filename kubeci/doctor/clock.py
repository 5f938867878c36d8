"""Does this machine's clock agree with GitHub's and the cluster's?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from kubeci.doctor.check import SkippedError
from kubeci.doctor.finding import Finding, Group, State
from kubeci.doctor.subject import NO_CLUSTER, Looked, Subject
from kubeci.errors import UpstreamError
from kubeci.github.app_look import github_time

WARN_SECONDS = 30
WRONG_SECONDS = 60
"""GitHub refuses JWTs that are issued a minute in its future (docs.github.com, "Generating a JSON Web Token")."""
MEND = "timedatectl set-ntp true"


async def github_clock(looked: Looked) -> Sequence[Finding]:
    """Compare with the date of an answer of GitHub, whatever that answer is."""
    subject = looked.subject
    if "github-url" in subject.unread:
        raise SkippedError("--github-url could not be read (see settings)")
    try:
        theirs = await github_time(subject.endpoint)
    except UpstreamError as error:
        return [Finding(Group.CLOCK, "against GitHub", State.UNKNOWN, f"skipped: {error}")]
    why = "the server signs by GitHub's clock then, but signatures of Slack and ends of claims go by this one"
    return [_compared("against GitHub", theirs, subject, WRONG_SECONDS, why)]


async def cluster_clock(looked: Looked) -> Sequence[Finding]:
    """Compare with the date of an answer of the API server."""
    theirs = (await looked.cluster.needed(NO_CLUSTER)).version.date
    if theirs is None:
        told = "skipped: the cluster's answer carries no date"
        return [Finding(Group.CLOCK, "against the cluster", State.UNKNOWN, told)]
    why = "times of steps and builds that come from both do not fit together"
    return [_compared("against the cluster", theirs, looked.subject, None, why)]


def _compared(name: str, theirs: datetime, subject: Subject, wrong: int | None, why: str) -> Finding:
    # A date has whole seconds.
    ahead = subject.now() - theirs.timestamp() - 0.5
    off = abs(ahead)
    if off <= WARN_SECONDS:
        return Finding(Group.CLOCK, name, State.OK, "differs by less than 30 s")
    state = State.WRONG if wrong is not None and off > wrong else State.WARNING
    found = f"this machine's clock is {off:.0f} s {'ahead' if ahead > 0 else 'behind'}"
    return Finding(Group.CLOCK, name, state, found, why, "let the time be kept by NTP, on both", MEND)
