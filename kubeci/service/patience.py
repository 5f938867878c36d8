"""For how long a build waits for a cluster that cannot take it, or work for GitHub; and what its check-run says meanwhile."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from http import HTTPStatus

from kubeci.errors import Forbidden, Invalid, KubeCIError, RateLimited, Unready, UpstreamError
from kubeci.model.build import Build, BuildRequest
from kubeci.model.trust import What
from kubeci.policy.redelivery import SOON
from kubeci.workflow.schema import Problem

LONGEST_WAIT = timedelta(hours=24)
"""What breaks in the evening is mended in the morning. GitHub itself gives check-runs up after 14 days."""
LONGEST_PAUSE = timedelta(minutes=1)
"""Between two tries: a build begins that soon after the cluster is back."""
LONGEST_DEFERRAL = timedelta(minutes=5)
"""Between two tries of what GitHub does not do: many may wait for it, and each asks it several things."""
PEOPLE_WAIT = SOON
"""For how long GitHub is asked again for what somebody wants by a button or a comment. Later they have looked again, and
asked once more or done without: a deployment of the morning must not begin in the evening."""
CLOCKS_DIFFER = timedelta(minutes=10)
"""So far our clock may be from GitHub's without anything else failing."""
ANSWERED = frozenset({What.API, What.COMMAND, What.SLACK})
"""Builds of which somebody is told within minutes whether they began."""
SAYING_WINDOW = timedelta(minutes=10)
SAYINGS = 3
"""How often in that time a waiting check-run may get other words, so that a cluster which fails in turns costs few writes."""
UNKNOWN_FIELD = "unknown field"
"""The API server's words under Strict field validation."""

_AMOUNT = re.compile(r"\d[\w.]*")


def may_heal(error: UpstreamError) -> bool:
    """Say whether a cluster's refusal of a build is nothing of the build's own, and may pass without a change to it.

    A right that is missing counts: only the operator can grant it, and the author could but push the same once more.
    """
    return isinstance(error, Unready | RateLimited) or (isinstance(error, Forbidden) and error.grantable)


def is_away(error: UpstreamError) -> bool:
    """Say whether the cluster would answer any other build like this; a right or a quota may be one build's alone."""
    return isinstance(error, Unready) and error.status != HTTPStatus.FORBIDDEN


def has_time(since: datetime, now: datetime, longest: timedelta = LONGEST_WAIT) -> bool:
    """Say whether what was asked for at `since` is still waited for."""
    return now - since < longest


def waits_long(build: Build | BuildRequest, since: datetime, now: datetime) -> bool:
    """Say whether a build that was asked for at `since` is tried on though it got all the attempts that others get.

    What a request of the API asked for is none's to try again, and who wrote a command is answered in minutes.
    """
    return bool(build.delivery_id) and build.what not in ANSWERED and has_time(since, now)


def pause_after(waited: timedelta, first: timedelta, longest: timedelta = LONGEST_PAUSE) -> timedelta:
    """Say how long to wait before the next try: a quarter of the time that went by already, from `first` to `longest`."""
    return max(first, min(waited / 4, longest))


def may_say(said: Sequence[datetime], now: datetime) -> bool:
    """Say whether a waiting check-run may get other words, having got some at these times."""
    return sum(now - at < SAYING_WINDOW for at in said) < SAYINGS


def kind_of(words: str) -> str:
    """Give what two causes of waiting are told apart by: their words without amounts, which change all the time."""
    return _AMOUNT.sub("0", words)


def final(error: KubeCIError, warnings: Sequence[Problem]) -> KubeCIError:
    """Give an error that ends a build, with what its author should know; `warnings` are those of our own schema."""
    if isinstance(error, Invalid) and UNKNOWN_FIELD in str(error):
        if any(each.rule == "unknown-field" for each in warnings):
            return error
        hint = "Argo's present version has it, so that the cluster's Argo is an older one"
        return Invalid(f"{error}; {hint}", status=error.status)
    if isinstance(error, UpstreamError) and may_heal(error):
        return given_up(error)
    return error


def given_up(error: UpstreamError) -> UpstreamError:
    """Give an error that would have passed, with what is left to do."""
    advice = "it was given up; when that is mended, re-run this check"
    return UpstreamError(str(error), status=error.status, public=f"{error.public}; {advice}")
