"""What the store knows of deliveries and builds, gathered for one question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kubeci.cli.gist import Gist, gist_of
from kubeci.cli.stored import Stored
from kubeci.model.build import Build, BuildState
from kubeci.model.inbox import DeliveryRecord
from kubeci.model.report import Outcome, Reported
from kubeci.model.trace import Trace

MOST = 50


@dataclass(frozen=True, slots=True)
class ToldDelivery:
    """A delivery with the traces of its attempts and the ids of the builds that it asked for."""

    record: DeliveryRecord
    gist: Gist
    traces: tuple[Trace, ...]
    builds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ToldBuild:
    """A build with what was seen and reported of it.

    `newer` is the build that superseded it, `asked` the delivery that it was asked for by, both as far as they are known;
    `taken`: it is the offer of a step that was run since.
    """

    build: Build
    outcome: Outcome
    reported: Reported
    logs: int
    newer: Build | None
    asked: DeliveryRecord | None = None
    taken: bool = False


@dataclass(frozen=True, slots=True)
class Story:
    """The answer: a delivery or several with the builds that they led to; newest delivery, oldest build first.

    `whole`: it was asked for one delivery, of which everything is told. `elsewhere`: the builds are the commit's, and
    other deliveries asked for them.
    """

    deliveries: tuple[ToldDelivery, ...]
    builds: tuple[ToldBuild, ...]
    whole: bool
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """What was asked for fits several: the deliveries, the shas of commits, and builds."""

    deliveries: tuple[DeliveryRecord, ...]
    shas: tuple[str, ...]
    builds: tuple[Build, ...] = ()


async def story_of(beginning: str, store: Stored) -> Story | Ambiguous | None:
    """Find what the beginning of a delivery's or a build's id or of a commit's sha is about; None: nothing.

    A workflow and a check-run stand for their build; they are named in full.
    """
    called = await store.lookups.deliveries_called(beginning, limit=MOST)
    about = await store.lookups.deliveries_about(beginning, limit=MOST)
    builds = await store.lookups.builds_of(beginning, limit=MOST)
    named = [*(each.sha for each in about), *(build.commit.sha for build in builds)]
    shas = tuple(sorted({sha for sha in named if sha.startswith(beginning)}))
    named_builds = await store.lookups.builds_called(beginning, limit=MOST)
    if not called and not shas:
        return await _of_build(named_builds, store)
    exact = [each for each in called if each.id == beginning]
    if exact or (len(called) == 1 and not shas and not named_builds):
        return await _of_delivery((exact or called)[0], store)
    if called or len(shas) > 1 or named_builds:
        return Ambiguous(tuple(called), shas, tuple(named_builds))
    deliveries = [await _told(each, builds, store) for each in about]
    return Story(tuple(deliveries), await _told_builds(builds, store), whole=False)


async def _of_build(builds: Sequence[Build], store: Stored) -> Story | Ambiguous | None:
    if len(builds) != 1:
        return Ambiguous((), (), tuple(builds)) if builds else None
    asked = await _delivery(builds[0].delivery_id, store)
    deliveries = [await _told(asked, builds, store)] if asked else []
    return Story(tuple(deliveries), await _told_builds(builds, store), whole=False)


async def _delivery(delivery_id: str, store: Stored) -> DeliveryRecord | None:
    called = await store.lookups.deliveries_called(delivery_id, limit=MOST) if delivery_id else []
    return next((each for each in called if each.id == delivery_id), None)


async def _of_delivery(record: DeliveryRecord, store: Stored) -> Story:
    own = await store.lookups.builds_asked_for_by([record.id])
    builds = own
    if not own and record.sha:
        builds = await store.lookups.builds_of(record.sha, repository=record.repository, limit=MOST)
    told = await _told(record, own, store)
    return Story((told,), await _told_builds(builds, store), whole=True, elsewhere=not own)


async def _told(record: DeliveryRecord, builds: Sequence[Build], store: Stored) -> ToldDelivery:
    traces = tuple(await store.traces.of(record.id))
    own = tuple(build.id for build in builds if build.delivery_id == record.id)
    return ToldDelivery(record, await gist_of(store, record), traces, own)


async def _told_builds(builds: Sequence[Build], store: Stored) -> tuple[ToldBuild, ...]:
    return tuple([await _told_build(build, store) for build in builds])


async def _told_build(build: Build, store: Stored) -> ToldBuild:
    return ToldBuild(
        build,
        await store.builds.outcome(build.id),
        await store.builds.reported(build.id),
        await store.lookups.logs_kept(build.id),
        await store.builds.get(build.superseded_by) if build.superseded_by else None,
        await _delivery(build.delivery_id, store) if build.state is BuildState.LOST else None,
        await _was_run(build, store) if build.state is BuildState.OFFERED else False,
    )


async def _was_run(offer: Build, store: Stored) -> bool:
    others = await store.builds.all_of_commit(offer.commit)
    return any(
        each.entrypoint == offer.entrypoint
        and each.state is not BuildState.OFFERED
        and not each.deployment_id
        for each in others
    )
