"""Words for deployments."""

from __future__ import annotations

from typing import Any

from kubeci.local.github.deployment import Deployment, Wish, find_ref
from kubeci.local.github.memberships import may_write
from kubeci.local.github.person import Person


class Deploying(Person):
    """What people deploy; delivered as `deployment`."""

    async def deploy(  # noqa: PLR0913 - the fields of GitHub's request
        self,
        repository: str,
        ref: str,
        *,
        task: str = "deploy",
        environment: str = "production",
        payload: Any = None,
        by: str | None = None,
    ) -> Deployment:
        """Create a deployment of a branch, tag or sha of `owner/name`, whatever its checks say.

        ValueError for an unknown ref, and for who may not write.
        """
        found, user = self._writable(repository), self._by(by)
        if not may_write(self.state, found, user):
            raise ValueError(f"{user.login} may not deploy {repository}")
        sha = await find_ref(found, ref)
        if sha is None:
            raise ValueError(f"No ref found for: {ref}")
        wish = Wish(ref, task or "deploy", environment or "production", payload)
        return self.events.deployments.create(found, wish, sha, user)
