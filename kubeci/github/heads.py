"""Where the App is installed, and where branches and pull requests stand there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from kubeci.errors import UpstreamError
from kubeci.github import heads_shapes as shapes
from kubeci.github.app import GRAPHQL, GitHubApp
from kubeci.github.errors import of_graphql
from kubeci.github.events_made import pull_request_event, push_event
from kubeci.github.heads_query import HEADS_QUERY
from kubeci.github.request import Request
from kubeci.model.heads import Head, Installation, Installed
from kubeci.model.json import JsonObject
from kubeci.model.repository import Repository

T = TypeVar("T")

INSTALLATIONS = "/app/installations"
REPOSITORIES = "/installation/repositories"
COMMIT = "/repos/{owner}/{repo}/commits/{ref}"
PULL = "/repos/{owner}/{repo}/pulls/{pull_number}"
PAGE = 100
LIST_PAGES = 100
"""Pages of installations, and of an installation's repositories, that are read at most."""
HEAD_PAGES = 20
"""Pages of a repository's branches and pull requests that are read at most."""


class _Account(msgspec.Struct):
    login: str = ""


class _Installation(msgspec.Struct):
    id: int
    account: _Account | None = None
    suspended_at: str | None = None


class _Repository(msgspec.Struct):
    name: str
    owner: _Account
    archived: bool = False
    disabled: bool = False


class _Repositories(msgspec.Struct):
    repositories: list[JsonObject]


class GitHubHeads:
    """Fulfils the port `Heads`."""

    def __init__(self, app: GitHubApp) -> None:
        self._app = app

    async def installations(self) -> list[Installation]:
        """List where the App is installed and not suspended."""
        found: list[_Installation] = []
        for page in range(1, LIST_PAGES + 1):
            query = {"per_page": PAGE, "page": page}
            request = Request("GET", INSTALLATIONS, query=query, repeatable=True)
            answer = await self._app.send_as_app(Repository("", "", 0), request)
            found += (more := _read(answer, list[_Installation], INSTALLATIONS))
            if len(more) < PAGE:
                break
        return [
            Installation(each.id, each.account.login if each.account else "")
            for each in found
            if each.suspended_at is None
        ]

    async def repositories(self, installation: Installation) -> list[Installed]:
        """List the repositories of an installation that can be built: not those that are archived or disabled."""
        # Without a name it stands for the whole installation, whose names alone may be read.
        whole = Repository(installation.owner, "", installation.id)
        found: list[JsonObject] = []
        for page in range(1, LIST_PAGES + 1):
            query = {"per_page": PAGE, "page": page}
            request = Request("GET", REPOSITORIES, query=query, repeatable=True)
            answer = _read(await self._app.send(whole, request), _Repositories, REPOSITORIES)
            found += answer.repositories
            if len(answer.repositories) < PAGE:
                break
        read = [(_read(each, _Repository, REPOSITORIES), each) for each in found]
        return [
            Installed(Repository(seen.owner.login, seen.name, installation.id), whole_object)
            for seen, whole_object in read
            if not seen.archived and not seen.disabled
        ]

    async def heads(self, repository: Repository, since: datetime) -> list[Head]:
        """Read where branches stand, and the open pull requests to which something happened since a moment.

        Pull requests are left out where the App may not read them.
        """
        found: list[Head] = []
        after: dict[str, str | None] = {"branches": None, "pulls": None}
        for _ in range(HEAD_PAGES):
            read = await self._page(repository, after)
            after = {}
            if read.refs:
                found += (head for ref in read.refs.nodes or () if ref and (head := _of_branch(ref)))
                after |= _older("branches", read.refs.page_info)
            if read.pull_requests:
                pulls = [pull for pull in read.pull_requests.nodes or () if pull and pull.updated_at >= since]
                found += map(_of_pull, pulls)
                # The newest come first.
                if len(pulls) == len(read.pull_requests.nodes or ()):
                    after |= _older("pulls", read.pull_requests.page_info)
            if not after:
                break
        return found

    async def event(self, installed: Installed, head: Head, action: str) -> tuple[str, bytes]:
        """Make the event that GitHub would have sent of a head: its name and its payload; `action` of pull requests."""
        repository = installed.repository
        if head.number:
            parameters: dict[str, str | int] = {"pull_number": head.number}
            pull = await self._object(
                repository, Request("GET", PULL, parameters=parameters, repeatable=True)
            )
            return "pull_request", msgspec.json.encode(pull_request_event(installed, head, action, pull))
        request = Request("GET", COMMIT, parameters={"ref": head.sha}, repeatable=True)
        commit = await self._object(repository, request)
        return "push", msgspec.json.encode(push_event(installed, head, commit))

    async def _object(self, repository: Repository, request: Request) -> JsonObject:
        return _read(await self._app.send(repository, request), JsonObject, request.route)

    async def _page(self, repository: Repository, after: dict[str, str | None]) -> shapes.Heads:
        variables = {
            "owner": repository.owner,
            "name": repository.name,
            "app": self._app.app_id,
            **{kind: kind in after for kind in ("branches", "pulls")},
            **{f"{kind}After": after.get(kind) for kind in ("branches", "pulls")},
        }
        answer = await self._app.graphql(repository, HEADS_QUERY, variables)
        errors = [each for each in answer.get("errors") or () if isinstance(each, dict)]
        if fatal := [each for each in errors if not _is_about_pull_requests(each)]:
            raise of_graphql(fatal, {}, now=self._app.now())
        if errors:
            # A connection that is refused takes its whole object with it, as it is never null.
            return await self._page(repository, {kind: at for kind, at in after.items() if kind != "pulls"})
        return _read((answer.get("data") or {}).get("repository"), shapes.Heads, GRAPHQL)


def _is_about_pull_requests(error: JsonObject) -> bool:
    return error.get("type") == "FORBIDDEN" and "pullRequests" in (error.get("path") or ())


def _older(kind: str, info: shapes.PageInfo) -> dict[str, str | None]:
    return {kind: info.end_cursor} if info.has_next_page else {}


def _of_branch(ref: shapes.Ref) -> Head | None:
    if ref.target is None or not ref.target.oid:
        return None
    suites = _suites(ref.target)
    newest = max(suites, key=lambda each: each.created_at, default=None)
    # GitHub makes a suite of a push at once; without one only the commit tells a time.
    changed = newest.created_at if newest else ref.target.committed_date
    push = newest.push if newest else None
    return (
        None
        if changed is None
        else Head(
            ref.name,
            ref.target.oid,
            changed,
            _checked(suites),
            before=(push.previous_sha or "") if push else "",
            pusher=push.pusher.login if push and push.pusher else "",
        )
    )


def _of_pull(pull: shapes.Pull) -> Head:
    commits = [each.commit for each in (pull.commits.nodes if pull.commits else None) or () if each]
    suites = [suite for each in commits if each.oid == pull.head_ref_oid for suite in _suites(each)]
    return Head(
        pull.head_ref_name,
        pull.head_ref_oid,
        pull.updated_at,
        _checked(suites),
        number=pull.number,
        opened_at=pull.created_at,
    )


def _suites(commit: shapes.Commit) -> list[shapes.Suite]:
    return [each for each in (commit.check_suites.nodes if commit.check_suites else None) or () if each]


def _checked(suites: Sequence[shapes.Suite]) -> bool:
    return any(each.check_runs and each.check_runs.total_count for each in suites)


def _read(answer: Any, shape: type[T], route: str) -> T:
    try:
        return msgspec.convert(answer, shape)
    except msgspec.ValidationError as error:
        raise UpstreamError(
            f"GitHub's answer to {route} is of another shape: {error}", retryable=True
        ) from error
