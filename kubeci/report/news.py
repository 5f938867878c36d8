"""What Slack channels are told of builds and deployments (contract, section 9).

Commit messages, names and reasons are foreign: they stand in code spans, escaped.
"""

from __future__ import annotations

from dataclasses import dataclass

from kubeci.model.build import Build
from kubeci.model.check_run import CheckRun, Conclusion
from kubeci.model.deployment import DeploymentState
from kubeci.report.mrkdwn import code, link, of_markdown
from kubeci.report.plain import one_line
from kubeci.settings.slack import News

FAILURES = frozenset({Conclusion.FAILURE, Conclusion.TIMED_OUT})

_DEPLOYED = {
    DeploymentState.SUCCESS: "deployed",
    DeploymentState.FAILURE: "failed to deploy",
    DeploymentState.ERROR: "failed to deploy",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of news; `text` is mrkdwn."""

    on: News
    text: str


def news_of_build(build: Build, check: CheckRun, previous: Build | None, github: str) -> Item | None:
    """Tell of a build of the default branch that ended; None: it is no news.

    A failure is, and the first success after one: `previous` is the newest earlier build of the same check name on the branch
    that succeeded or failed, None where there is none. `github` is the address of GitHub's pages, without a slash at the end.
    """
    if check.conclusion in FAILURES:
        reason = _reason(check)
        return Item(News.FAILURE, _lines(f":x: {_what(build)} failed", reason, _where(build, check, github)))
    if check.conclusion is Conclusion.SUCCESS and previous and previous.conclusion in FAILURES:
        head = f":white_check_mark: {_what(build)} succeeds again"
        return Item(News.RECOVERY, _lines(head, "", _where(build, check, github)))
    return None


def news_of_deployment(
    build: Build, environment: str, state: DeploymentState, url: str, github: str
) -> Item | None:
    """Tell of a deployment that ended; None: it goes on. `url` leads to it, as its template says or in the Argo UI."""
    done = _DEPLOYED.get(state)
    if done is None:
        return None
    sign = ":rocket:" if state is DeploymentState.SUCCESS else ":x:"
    who = f" by {code(build.actor)}" if build.actor else ""
    head = f"{sign} {code(build.commit.repository.full_name)} {done} to {code(environment)}{who}"
    return Item(News.DEPLOYMENT, _lines(head, "", [link(url, "deployment"), _commit(build, github)]))


def _what(build: Build) -> str:
    return f"{code(build.commit.repository.full_name)} {code(build.ref.name)}: {code(build.check_name)}"


def _reason(check: CheckRun) -> str:
    """Give the first line of the summary, which says why in a line."""
    line = next((line for line in check.summary.splitlines() if line.strip()), "")
    return of_markdown(one_line(line, 500))


def _where(build: Build, check: CheckRun, github: str) -> list[str]:
    leads = [link(check.details_url, "steps")] if check.details_url else []
    if github and build.check_run_id:
        address = f"{github}/{build.commit.repository.full_name}/runs/{build.check_run_id}"
        leads.append(link(address, "check-run"))
    return [*leads, _commit(build, github)]


def _commit(build: Build, github: str) -> str:
    sha = build.commit.sha
    short = sha[:9]
    address = f"{github}/{build.commit.repository.full_name}/commit/{sha}" if github else ""
    return f"{link(address, short)} {code(build.title, 100)}".rstrip()


def _lines(head: str, reason: str, leads: list[str]) -> str:
    return "\n".join(filter(None, (head, reason, " · ".join(leads))))
