"""Where on GitHub and in the Argo UI a build is seen."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from kubeci.model.build import Build
from kubeci.model.check_run import Annotation
from kubeci.service.subject import workflow_url

_ENTERPRISE_API = "/api/v3"


def html_address(api_url: str) -> str:
    """Give the address of GitHub's pages for that of its API (docs.github.com, "Using the REST API", GHES and GHE.com).

    `https://api.github.com` → `https://github.com`, `https://api.x.ghe.com` → `https://x.ghe.com`,
    `https://host/api/v3` → `https://host`.
    """
    address = urlsplit(api_url.rstrip("/"))
    if address.path.endswith(_ENTERPRISE_API):
        return f"{address.scheme}://{address.netloc}{address.path.removesuffix(_ENTERPRISE_API)}"
    return f"{address.scheme}://{address.netloc.removeprefix('api.')}"


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses of what belongs to a build; `github` and `argo_ui` have no slash at their end."""

    github: str
    argo_ui: str

    def repository(self, build: Build) -> str:
        """Give the repository's page."""
        return self._page(build.commit.repository.full_name)

    def head(self, build: Build) -> str:
        """Give the page of the branch or tag, which for a fork's commit is in the fork."""
        where = build.head_repository or build.commit.repository.full_name
        return self._page(where, "tree", build.ref.name)

    def commit(self, build: Build) -> str:
        """Give the commit's page."""
        return self._page(build.commit.repository.full_name, "commit", build.commit.sha)

    def pull_request(self, build: Build) -> str:
        """Give the pull request's page."""
        return self._page(build.commit.repository.full_name, "pull", str(build.pull_request))

    def check_run(self, build: Build) -> str:
        """Give the check-run's page."""
        return self._page(build.commit.repository.full_name, "runs", str(build.check_run_id))

    def line(self, build: Build, annotation: Annotation) -> str:
        """Give the page of a file at the line that an annotation is about."""
        place = self._page(build.commit.repository.full_name, "blob", build.commit.sha, annotation.path)
        return f"{place}#L{annotation.line}"

    def workflow(self, build: Build) -> str:
        """Give the workflow's page in the Argo UI."""
        return workflow_url(build, self.argo_ui)

    def _page(self, *parts: str) -> str:
        return "/".join([self.github, *(quote(part) for part in parts)])
