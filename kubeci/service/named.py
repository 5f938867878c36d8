"""Build requests of wishes that name a repository and a ref, and come without a webhook."""

from __future__ import annotations

from dataclasses import dataclass

from kubeci.errors import NotFound
from kubeci.model.build import BuildRequest
from kubeci.model.json import JsonObject
from kubeci.model.repository import Commit, Ref, RefType, Repository
from kubeci.model.trust import Person, What
from kubeci.service.rooms import Rooms


@dataclass(frozen=True, slots=True)
class Named:
    """A repository that was found by its name; `object` is GitHub's repository object."""

    repository: Repository
    object: JsonObject

    @property
    def default_branch(self) -> str:
        """Give the name of the default branch."""
        return str(self.object.get("default_branch") or "main")


@dataclass(frozen=True, slots=True)
class Asker:
    """Who wants a build, by which way, and the id that the same wish has when it is handled again."""

    build_id: str
    what: What
    actor: Person
    delivery_id: str = ""


async def find_repository(owner: str, name: str, rooms: Rooms) -> Named:
    """Find a repository; `NotFound` with a sentence for people when the App is not installed there."""
    try:
        repository = await rooms.github.repositories.find(owner, name)
        return Named(repository, await rooms.github.repositories.read(repository))
    except NotFound as error:
        raise NotFound(
            f"there is no repository {owner}/{name} that the GitHub App is installed in", status=404
        ) from error


async def request_of_ref(named: Named, ref: str, rooms: Rooms, asker: Asker) -> BuildRequest:
    """Give the explicit request to build a branch, a tag or a sha as it stands now; empty: the default branch.

    Raises `NotFound` when the ref is none of these.
    """
    wanted = ref.strip() or named.default_branch
    for kind, folder in ((RefType.BRANCH, "heads"), (RefType.TAG, "tags")):
        try:
            sha = await rooms.github.commits.resolve(named.repository, f"{folder}/{wanted}")
        except NotFound:
            continue
        found = Ref(wanted, kind)
        break
    else:
        sha, found = await rooms.github.commits.resolve(named.repository, wanted), Ref("")
        if not sha.startswith(wanted.lower()):
            raise NotFound(f"{named.repository.full_name} has no branch, tag or commit {wanted}", status=404)
    return BuildRequest(
        asker.build_id,
        Commit(named.repository, sha),
        found,
        automatic=False,
        what=asker.what,
        actor=asker.actor,
        repository_object=named.object,
        delivery_id=asker.delivery_id,
    )
