"""Buttons of check-runs: Skip, Cancel, Clear Cache (contract, sections 2 and 6)."""

from __future__ import annotations

from kubeci.errors import UpstreamError
from kubeci.model.build import Build, BuildState
from kubeci.model.trust import What
from kubeci.report.plain import plain
from kubeci.service.caches import clear_build, clear_repository
from kubeci.service.cancel import UNDER_WAY, cancel
from kubeci.service.check_runs import CheckRuns
from kubeci.service.judge import Judge
from kubeci.service.manual import ManualSteps
from kubeci.service.rooms import Rooms
from kubeci.service.wish import Button, Press


class Presses:
    """Does what a button says, for those whom the trust table lets."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._judge = Judge(rooms.config, rooms.github.people)
        self._check_runs = CheckRuns(rooms)
        self._manual = ManualSteps(rooms)

    async def press(self, press: Press, *, last_attempt: bool = False) -> str:
        """Do what a button says, or tell on the check-run why not; gives what came of it in a sentence.

        Raises an `UpstreamError` that may pass, for the caller to try again, unless this is the last attempt.
        """
        build, login = press.build, press.by.login
        row = _row(press.button, build)
        if not await self._judge.may(row, press.by, build.commit.repository):
            told = (
                f"{plain(login)} pressed {_LABELS[press.button]}, and nothing was done: the setting `trust` says who may "
                f"(row `{row}`), by default those who may write to the repository."
            )
            await self._check_runs.remark(build, told)
            return f"{press.button} by {login} is refused: trust, `{row}`"
        try:
            return await self._do(press)
        except UpstreamError as error:
            if error.retryable and not last_attempt:
                raise
            told = f"{plain(login)} pressed {_LABELS[press.button]}, and it could not be done: {plain(error.public)}"
            await self._check_runs.remark(build, told)
            return f"{press.button} by {login} failed: {error}"

    async def _do(self, press: Press) -> str:
        build, login = press.build, press.by.login
        match press.button:
            case Button.SKIP:
                return await self._skip(build, login)
            case Button.CANCEL:
                return await self._cancel(press)
            case Button.CLEAR_CACHE | Button.CLEAR_CACHE_BRANCH:
                done = await self._clear(press.button, build)
                await self._check_runs.remark(build, f"{plain(login)} cleared the cache: {done}.")
                return done

    async def _cancel(self, press: Press) -> str:
        done = await cancel(press.build, press.by.login, press.wish, self._rooms)
        if press.build.state not in UNDER_WAY:
            await self._check_runs.remark(press.build, f"{plain(press.by.login)} pressed Cancel: {done}.")
        return done

    async def _skip(self, build: Build, login: str) -> str:
        if build.state is not BuildState.OFFERED:
            return "skip: the check-run is not a manual step's"
        return await self._manual.skip(build, login)

    async def _clear(self, button: Button, build: Build) -> str:
        """Clear all caches of the repository, but from a branch's or a fork's build only its own."""
        if button is Button.CLEAR_CACHE and not build.head_repository:
            return await clear_repository(build.commit.repository, self._rooms)
        return await clear_build(build, self._rooms)


_LABELS = {
    Button.SKIP: "Skip",
    Button.CANCEL: "Cancel",
    Button.CLEAR_CACHE: "Clear Cache",
    Button.CLEAR_CACHE_BRANCH: "Clear Cache",
}


def _row(button: Button, build: Build) -> What:
    if button is Button.CANCEL:
        return What.CANCEL
    if button is not Button.SKIP:
        return What.CLEAR_CACHE
    essential = any(step.essential for step in build.plan.manual)
    return What.SKIP_ESSENTIAL if essential else What.SKIP
