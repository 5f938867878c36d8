from __future__ import annotations

import asyncio
import random
from contextlib import aclosing, suppress
from typing import Any

import pytest
from cluster_kit import until, workflow

from kubeci.cluster.client import Client
from kubeci.cluster.list_watch import Collection, Listeners, Timing, list_watch
from kubeci.cluster.workflows import WORKFLOWS
from kubeci.errors import UpstreamError
from kubeci.local.cluster.cluster import LocalCluster
from kubeci.local.cluster.resources import WORKFLOWS as RESOURCE
from kubeci.model.watch import Gone, Listed

OURS = Collection(WORKFLOWS, {"namespace": "ci"}, "managedBy=kube-ci")
TIMING = Timing(watch=1, silence=0.3, backoff=0.01, backoff_cap=0.05, page=2)


class View:
    """What a consumer knows, who follows the rules of `Change`."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}
        self.lists = 0
        self.problems: list[UpstreamError] = []

    async def follow(self, client: Client) -> None:
        changes = list_watch(
            client,
            OURS,
            random=random.random,
            timing=TIMING,
            told=Listeners(lost=lambda error, _: self.problems.append(error)),
        )
        async with aclosing(changes):
            async for change in changes:
                if isinstance(change, Listed):
                    self.lists += 1
                    self.known = dict(map(identity, change.objects))
                elif isinstance(change, Gone):
                    self.known.pop(change.object["metadata"]["name"], None)
                else:
                    self.known |= dict([identity(change.object)])


def identity(obj: dict[str, Any]) -> tuple[str, str]:
    return obj["metadata"]["name"], obj["metadata"]["resourceVersion"]


def truth(cluster: LocalCluster) -> dict[str, str]:
    listed = (stored.object for stored in cluster.objects.stored(RESOURCE, "ci"))
    return dict(identity(obj) for obj in listed if obj["metadata"]["labels"].get("managedBy") == "kube-ci")


def change(cluster: LocalCluster, chance: random.Random) -> None:
    name = f"w{chance.randrange(8)}"
    objects = cluster.objects
    match chance.randrange(7):
        case 0 | 1:
            objects.create(RESOURCE, "ci", workflow(name))
        case 2:
            objects.merge_patch(RESOURCE, "ci", name, {"metadata": {"labels": {"n": str(chance.random())}}})
        case 3:
            labels = {"managedBy": chance.choice(["kube-ci", "others"])}
            objects.merge_patch(RESOURCE, "ci", name, {"metadata": {"labels": labels}})
        case 4:
            objects.delete(RESOURCE, "ci", name)
        case 5:
            chance.choice([cluster.cut_watches, cluster.silence, cluster.restart])()
        case _:
            status = chance.choice([500, 410])
            cluster.faults.add("GET", "/workflows", status=status, times=chance.randrange(1, 3))


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_happens_the_newest_state_comes(
    cluster: LocalCluster, client: Client, seed: int
) -> None:
    chance = random.Random(seed)
    view = View()
    task = asyncio.create_task(view.follow(client))
    await until(lambda: view.lists)
    for _ in range(60):
        with suppress(Exception):  # the object is there already, or is not
            change(cluster, chance)
        await asyncio.sleep(chance.choice([0, 0, 0.01]))
    await until(lambda: view.known == truth(cluster))
    assert view.problems
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: not cluster.watches)
