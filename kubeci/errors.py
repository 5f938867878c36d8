"""Every error that kubeci raises on purpose.

    KubeCIError
    ├── DefinitionError      what the author of the CI files did; carries where
    │   └── EntrypointError
    ├── UpstreamError        what GitHub or the cluster answered; says whether trying again can help
    │   ├── NotFound
    │   ├── Conflict
    │   ├── Invalid
    │   ├── Forbidden
    │   │   └── NoToken
    │   ├── RateLimited
    │   └── Unready
    └── ConfigurationError   what the operator configured

A refusal by policy is not an error: it is a value (`kubeci.model.decision.Refused`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class KubeCIError(Exception):
    """The root of kubeci's own errors; its text is fit to be shown to a person."""

    @property
    def public(self) -> str:
        """Say it for check-runs and comments, which anybody may read: without addresses and names of accounts."""
        return str(self)


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a repository's CI files; `line` and `column` count from 1, 0 means unknown."""

    path: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """Write the place as compilers do: `path:line:column`."""
        parts = [self.path, *(str(n) for n in (self.line, self.column) if n)]
        return ":".join(parts)


class DefinitionError(KubeCIError):
    """The CI definition of a commit is wrong; its author can mend it.

    `message` says what and why, `where` the place, `hint` what to do about it; `others` are further complaints about the
    same definition, each written as a line of its own.
    """

    def __init__(
        self, message: str, *, where: Location | None = None, hint: str = "", others: Sequence[object] = ()
    ) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint
        self.others = tuple(others)

    def __str__(self) -> str:
        """Say where, what and what to do, in one line where the message is one line; then the others."""
        return "\n".join([complaint(self.message, self.where, self.hint), *map(str, self.others)])


def complaint(message: str, where: Location | None, hint: str = "") -> str:
    """Write one complaint as compilers do: place, what is wrong, what to do."""
    text = f"{where}: {message}" if where else message
    return f"{text}; {hint}" if hint else text


class EntrypointError(DefinitionError):
    """The template to start with is not named, or not there."""


class UpstreamError(KubeCIError):
    """GitHub or the cluster did not do what was asked.

    `status` is the HTTP status (0: no answer came), `retryable` whether the same request may succeed later. The text is for
    the operator; `public`, where it is given, for anybody.
    """

    retryable_by_default = False

    def __init__(
        self, message: str, *, status: int = 0, retryable: bool | None = None, public: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retryable = self.retryable_by_default if retryable is None else retryable
        self._public = public

    @property
    def public(self) -> str:
        """Say it for check-runs and comments, which anybody may read: without addresses and names of accounts."""
        return self._public or str(self)


class NotFound(UpstreamError):
    """The object is not there (404, 410)."""


class Conflict(UpstreamError):
    """The object exists already, or changed since it was read (409)."""


class Invalid(UpstreamError):
    """The upstream refuses the content (400, 415, 422)."""


class Forbidden(UpstreamError):
    """We may not do this (401, 403); permanent until somebody grants it.

    `grantable`: it is a right of ours that is missing, or a quota, and not this one object that is refused.
    """

    def __init__(self, message: str, *, status: int = 0, public: str = "", grantable: bool = False) -> None:
        super().__init__(message, status=status, public=public)
        self.grantable = grantable


class NoToken(Forbidden):
    """GitHub gives no token for a repository: its installation is suspended or gone, or does not hold it.

    What was asked for meanwhile may wait for a while.
    """


class Unready(UpstreamError):
    """The cluster is away, or lacks what every build needs; nothing is wrong with what was asked, which may wait for long."""

    retryable_by_default = True


class RateLimited(UpstreamError):
    """The upstream asks us to wait; `retry_after` is in seconds."""

    retryable_by_default = True

    def __init__(
        self, message: str, *, status: int = 429, retry_after: float = 60.0, public: str = ""
    ) -> None:
        super().__init__(message, status=status, public=public)
        self.retry_after = retry_after


class ConfigurationError(KubeCIError):
    """The operator's configuration is wrong; the server refuses to start with this line."""
