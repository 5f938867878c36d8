"""The cluster itself: its objects, its users, and what tests may do to it."""

from __future__ import annotations

from collections import deque
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import yaml

from kubeci.local.cluster import built_in_fields
from kubeci.local.cluster.app import api_server
from kubeci.local.cluster.crds import Crds
from kubeci.local.cluster.faults import Faults
from kubeci.local.cluster.fields import FieldProblem, Schema
from kubeci.local.cluster.kubeconfig import kubeconfig
from kubeci.local.cluster.objects import Objects
from kubeci.local.cluster.resources import WORKFLOW_TEMPLATES, WORKFLOWS, Resource
from kubeci.local.cluster.users import User
from kubeci.local.cluster.workflow_fields import WorkflowFields
from kubeci.local.serving import serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from kubeci.local.cluster.door import Asked
    from kubeci.local.cluster.watching import Watch
    from kubeci.model.json import JsonObject

REQUESTS_KEPT = 10_000


def _no_requests() -> deque[Asked]:
    return deque(maxlen=REQUESTS_KEPT)


@dataclass(eq=False, slots=True)
class LocalCluster:
    """A Kubernetes API server for workflows, templates, pods, claims and leases.

    `namespaces` are those objects can be created in. `admin` may do everything, `powerless` nothing. `schema` knows
    the fields of a Workflow. Bookmarks come every `bookmark_seconds`; a list at a version that is yet to come waits
    for `future_wait_seconds`. `requests` are the newest ones, `watches` those that run.
    """

    namespaces: tuple[str, ...] = ("ci",)
    objects: Objects = field(default_factory=Objects)
    schema: Schema = field(default_factory=WorkflowFields)
    bookmark_seconds: float = 60.0
    future_wait_seconds: float = 3.0
    admin: User = field(default_factory=lambda: User("admin", allowed=True))
    powerless: User = field(default_factory=lambda: User("powerless", allowed=False))
    faults: Faults = field(default_factory=Faults)
    requests: deque[Asked] = field(default_factory=_no_requests)
    watches: set[Watch] = field(default_factory=set)
    url: str = ""
    further_users: tuple[User, ...] = ()
    """Who has a token besides the two."""
    crds: Crds = field(default_factory=Crds)
    storage_classes: dict[str, bool] = field(default_factory=lambda: {"local": True})
    """Names of storage classes, each with whether it is a default."""

    @property
    def users(self) -> tuple[User, ...]:
        """Give everybody who has a token."""
        return (self.admin, self.powerless, *self.further_users)

    @asynccontextmanager
    async def serving(self, *, port: int = 0) -> AsyncIterator[str]:
        """Serve the API on 127.0.0.1 until the block ends, and yield its address; `url` holds it as long."""
        async with serving(api_server(self), port=port) as url:
            self.url = url
            try:
                yield url
            finally:
                self.url = ""

    def kubeconfig(self, user: User | None = None) -> JsonObject:
        """Give a kubeconfig for a user (default: the admin) of the cluster while it is served."""
        if not self.url:
            raise RuntimeError("the cluster is not being served")
        return kubeconfig(self.url, user or self.admin, self.namespaces[0])

    def write_kubeconfig(self, path: Path, user: User | None = None) -> None:
        """Write the kubeconfig to a file that only its owner can read, since it holds the token."""
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text(yaml.safe_dump(self.kubeconfig(user), sort_keys=False), encoding="utf-8")

    def problems(self, resource: Resource, obj: JsonObject) -> Sequence[FieldProblem]:
        """Check an object's fields; those of pods are not known."""
        if resource in {WORKFLOWS, WORKFLOW_TEMPLATES}:
            return self.schema.problems(obj)
        return built_in_fields.unknown(resource, obj)

    def cut_watches(self) -> None:
        """Break the connections of all running watches."""
        for watch in self.watches:
            watch.cut.set()

    def silence(self) -> None:
        """Let no byte come out of the running watches any more, while their connections stay; new ones speak."""
        for watch in self.watches:
            watch.silent = True

    def restart(self) -> None:
        """Do to clients what a restarted API server does: watches break, and the history is forgotten."""
        self.objects.compact()
        self.cut_watches()
