"""Pull requests as of now (docs.github.com/rest/pulls/pulls)."""

from __future__ import annotations

from datetime import datetime

from kubeci.github.app import GitHubApp
from kubeci.github.request import Request
from kubeci.model.conversation import PullRequestHead
from kubeci.model.repository import Repository

PULL = "/repos/{owner}/{repo}/pulls/{pull_number}"


class GitHubPullRequests:
    """Fulfils the port `PullRequests`."""

    def __init__(self, app: GitHubApp) -> None:
        self._app = app

    async def read(self, repository: Repository, number: int) -> PullRequestHead:
        """Read a pull request; `NotFound` when there is none of this number."""
        request = Request("GET", PULL, parameters={"pull_number": number}, repeatable=True)
        answer = await self._app.send(repository, request)
        head, base = answer["head"], answer["base"]
        return PullRequestHead(
            number=answer["number"],
            title=answer["title"],
            url=answer["html_url"],
            open=answer["state"] == "open",
            draft=bool(answer.get("draft")),
            head_sha=head["sha"],
            head_ref=head["ref"],
            head_repository=(head.get("repo") or {}).get("full_name", ""),
            base_ref=base["ref"],
            base_sha=base["sha"],
            updated_at=datetime.fromisoformat(answer["updated_at"]),
        )
