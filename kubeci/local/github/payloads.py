"""Accounts, the App, installations and repositories as GitHub's JSON, the same in REST answers and webhooks."""

from __future__ import annotations

import base64
from urllib.parse import quote

from kubeci.local.github.auth import InstallationToken
from kubeci.local.github.state import Account, Installation, PullRequest, Repository, State, timestamp
from kubeci.model.json import JsonObject

# The published description knows no merge_group here.
_ACCOUNT_URLS = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}
_REPOSITORY_URLS = {
    "forks_url": "/forks",
    "keys_url": "/keys{/key_id}",
    "collaborators_url": "/collaborators{/collaborator}",
    "teams_url": "/teams",
    "hooks_url": "/hooks",
    "issue_events_url": "/issues/events{/number}",
    "events_url": "/events",
    "assignees_url": "/assignees{/user}",
    "branches_url": "/branches{/branch}",
    "tags_url": "/tags",
    "blobs_url": "/git/blobs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "trees_url": "/git/trees{/sha}",
    "statuses_url": "/statuses/{sha}",
    "languages_url": "/languages",
    "stargazers_url": "/stargazers",
    "contributors_url": "/contributors",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "commits_url": "/commits{/sha}",
    "git_commits_url": "/git/commits{/sha}",
    "comments_url": "/comments{/number}",
    "issue_comment_url": "/issues/comments{/number}",
    "contents_url": "/contents/{+path}",
    "compare_url": "/compare/{base}...{head}",
    "merges_url": "/merges",
    "archive_url": "/{archive_format}{/ref}",
    "downloads_url": "/downloads",
    "issues_url": "/issues{/number}",
    "pulls_url": "/pulls{/number}",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "labels_url": "/labels{/name}",
    "releases_url": "/releases{/id}",
    "deployments_url": "/deployments",
}
_FIXED: JsonObject = {
    "description": None,
    "homepage": None,
    "size": 0,
    "stargazers_count": 0,
    "watchers_count": 0,
    "language": None,
    "has_issues": True,
    "has_projects": False,
    "has_downloads": False,
    "has_wiki": False,
    "has_pages": False,
    "has_discussions": False,
    "forks_count": 0,
    "mirror_url": None,
    "disabled": False,
    "open_issues_count": 0,
    "license": None,
    "allow_forking": True,
    "is_template": False,
    "web_commit_signoff_required": False,
    "topics": [],
    "forks": 0,
    "open_issues": 0,
    "watchers": 0,
}


def node_id(kind: str, number: int | str) -> str:
    """Give a global id in the older, readable form: the kind and the id in base64."""
    return base64.b64encode(f"{len(kind):03}:{kind}{number}".encode()).decode()


def api_url(state: State, path: str) -> str:
    """Give the REST address of a path, as an Enterprise Server writes it."""
    return f"{state.base_url}/api/v3{path}"


def user_json(state: State, account: Account) -> JsonObject:
    """Give a simple user; organisations have the same shape."""
    name = quote(account.login)  # a bot's has brackets
    url = api_url(state, f"/users/{name}")
    return {
        "login": account.login,
        "id": account.id,
        "node_id": node_id(account.type, account.id),
        "avatar_url": f"{state.base_url}/avatars/{account.id}",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{state.base_url}/{name}",
        **{key: url + path for key, path in _ACCOUNT_URLS.items()},
        "type": account.type,
        "user_view_type": "public",
        "site_admin": False,
    }


def organization_json(state: State, account: Account) -> JsonObject:
    """Give an organisation as webhooks name it."""
    url = api_url(state, f"/orgs/{account.login}")
    paths = ("repos", "events", "hooks", "issues")
    return {
        "login": account.login,
        "id": account.id,
        "node_id": node_id("Organization", account.id),
        "url": url,
        **{f"{name}_url": f"{url}/{name}" for name in paths},
        "members_url": f"{url}/members{{/member}}",
        "public_members_url": f"{url}/public_members{{/member}}",
        "avatar_url": f"{state.base_url}/avatars/{account.id}",
        "description": "",
    }


def app_json(state: State) -> JsonObject:
    """Give the App as events name it: their published description does not know that one may subscribe to `merge_group`."""
    app = state.app
    owner = Account(1, "kubeci", "Organization")
    return {
        "id": app.id,
        "slug": app.slug,
        "node_id": node_id("App", app.id),
        "client_id": app.client_id,
        "owner": user_json(state, owner),
        "name": app.slug,
        "description": "",
        "external_url": state.base_url,
        "html_url": f"{state.base_url}/apps/{app.slug}",
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
        "permissions": state.app_permissions,
        "events": [event for event in state.app_events if event != "merge_group"],
        "installations_count": len(state.installations),
    }


def performed_by(state: State, author: Account) -> JsonObject | None:
    """Give the App when it was its bot that did something."""
    return app_json(state) if author.login == f"{state.app.slug}[bot]" else None


def installation_json(state: State, installation: Installation) -> JsonObject:
    """Give an installation of the App."""
    account, moment = installation.account, timestamp(installation.created_at)
    who, suspended = installation.suspended_by, installation.suspended_at
    return {
        "id": installation.id,
        "account": user_json(state, account),
        "repository_selection": "all" if installation.repositories is None else "selected",
        "access_tokens_url": api_url(state, f"/app/installations/{installation.id}/access_tokens"),
        "repositories_url": api_url(state, "/installation/repositories"),
        "html_url": f"{state.base_url}/settings/installations/{installation.id}",
        "app_id": state.app.id,
        "client_id": state.app.client_id,
        "app_slug": state.app.slug,
        "target_id": account.id,
        "target_type": account.type,
        "permissions": installation.permissions,
        "events": state.app_events if installation.events is None else installation.events,
        "created_at": moment,
        "updated_at": moment,
        "single_file_name": None,
        "has_multiple_single_files": False,
        "single_file_paths": [],
        "suspended_by": None if who is None else user_json(state, who),
        "suspended_at": None if suspended is None else timestamp(suspended),
    }


def token_json(state: State, token: InstallationToken) -> JsonObject:
    """Give a fresh installation token."""
    body: JsonObject = {
        "token": token.token,
        "expires_at": timestamp(token.expires_at),
        "permissions": token.permissions,
        "repository_selection": "all" if token.repositories is None else "selected",
    }
    if token.repositories is not None:
        body["repositories"] = [
            repository_json(state, r) for r in state.repositories.values() if r.id in token.repositories
        ]
    return body


def repository_short(repository: Repository) -> JsonObject:
    """Give a repository as events of installations list it."""
    return {
        "id": repository.id,
        "node_id": node_id("Repository", repository.id),
        "name": repository.name,
        "full_name": repository.full_name,
        "private": repository.private,
    }


def repository_json(state: State, repository: Repository) -> JsonObject:
    """Give a repository in full: what `GET /repos/{owner}/{repo}` and every webhook hold."""
    full_name = repository.full_name
    url, page = api_url(state, f"/repos/{full_name}"), f"{state.base_url}/{full_name}"
    return {
        "id": repository.id,
        "node_id": node_id("Repository", repository.id),
        "name": repository.name,
        "full_name": full_name,
        "private": repository.private,
        "owner": user_json(state, repository.owner),
        "html_url": page,
        "url": url,
        **{key: url + path for key, path in _REPOSITORY_URLS.items()},
        "created_at": timestamp(repository.created_at),
        "updated_at": timestamp(repository.pushed_at),
        "pushed_at": timestamp(repository.pushed_at),
        "git_url": f"{page}.git",
        "ssh_url": f"{page}.git",
        "clone_url": f"{page}.git",
        "svn_url": page,
        **_FIXED,
        "fork": repository.parent is not None,
        "archived": repository.archived,
        "visibility": "private" if repository.private else "public",
        "default_branch": repository.default_branch,
        "network_count": 0,
        "subscribers_count": 0,
        "custom_properties": {},
    }


def pull_json(state: State, pull: PullRequest, shas: tuple[str, str]) -> JsonObject:
    """Give the little of a pull request that check events carry; `shas` are those of head and base."""

    def side(ref: str, sha: str, repository: Repository) -> JsonObject:
        url = api_url(state, f"/repos/{repository.full_name}")
        return {"ref": ref, "sha": sha, "repo": {"id": repository.id, "url": url, "name": repository.name}}

    return {
        "id": pull.id,
        "number": pull.number,
        "url": api_url(state, f"/repos/{pull.base.full_name}/pulls/{pull.number}"),
        "head": side(pull.head_ref, shas[0], pull.head),
        "base": side(pull.base_ref, shas[1], pull.base),
    }
