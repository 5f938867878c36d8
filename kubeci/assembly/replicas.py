"""What this replica is to the others: its name, what it keeps from them, and whether it leads."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kubeci.cluster.client import Client
from kubeci.cluster.lease import ClusterLease, lease_name
from kubeci.service.background import Duty, background
from kubeci.service.election import Terms
from kubeci.service.exclusive import Exclusive
from kubeci.service.leading import Leading
from kubeci.settings.config import Config
from kubeci.store.database import Database
from kubeci.store.locks import SqlLocks


def own_name() -> str:
    """Give a name that no other replica has, nor a process that comes after this one."""
    return f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"


def exclusive(stored: Database, me: str) -> Exclusive:
    """Give what keeps workers from the same work; only those of one process share a SQLite database."""
    return Exclusive(SqlLocks(stored, me) if stored.shared else None)


@dataclass(frozen=True, slots=True)
class Election:
    """Where replicas agree who leads."""

    stored: Database
    cluster: Client
    config: Config
    terms: Terms


async def lead(duties: Sequence[Duty], election: Election, me: str, told: Callable[[bool], None]) -> None:
    """Do the duties whenever we lead, until cancelled; `told` hears when we begin or cease to.

    Where the store cannot be shared there is no other replica, and none is asked.
    """
    if not election.stored.shared:
        told(True)
        async with background(duty() for duty in duties):
            await asyncio.Event().wait()
    name = lease_name(election.config.managed_by)
    lease = ClusterLease(election.cluster, election.config.namespace, name)
    await Leading(lease, me, terms=election.terms, told=told).run(duties)
