"""A request to GitHub as a value; sending it is the client's work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from kubeci.errors import Invalid
from kubeci.model.json import JsonObject
from kubeci.model.repository import Repository

JsonType = dict[str, object] | list[object] | None


@dataclass(frozen=True, slots=True)
class Request:
    """One call of GitHub's REST API, in the words of its OpenAPI description.

    `route` is a path of the description, `/repos/{owner}/{repo}/check-runs/{check_run_id}`; owner and repo are
    filled in by the repository it is sent for, the rest by `parameters`. `repeatable` says that doing it twice
    is the same as doing it once.
    """

    method: str
    route: str
    parameters: Mapping[str, str | int] = field(default_factory=dict)
    query: Mapping[str, str | int] = field(default_factory=dict)
    body: JsonObject | None = None
    repeatable: bool = False

    def path(self, repository: Repository) -> str:
        """Give the path with its parameters filled in, each escaped as one segment; `Invalid` for what would leave it."""
        given = {"owner": repository.owner, "repo": repository.name, **self.parameters}
        values = {name: value for name, value in given.items() if f"{{{name}}}" in self.route}
        # The HTTP client would shorten the path by dots, and so ask for something else.
        if strange := [name for name, value in values.items() if str(value) in {"", ".", ".."}]:
            raise Invalid(f"{self.method} {self.route}: {', '.join(strange)} is empty or dots")
        return self.route.format_map({name: quote(str(value), safe="") for name, value in values.items()})
