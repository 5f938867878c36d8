"""Regular expressions that come from a configuration file or a repository."""

from __future__ import annotations

import re2

from kubeci.errors import ConfigurationError

LIMIT = 4096  # characters; RE2 is linear in time, but its program grows with the pattern


class Pattern:
    """An RE2 expression that is *searched*, not anchored: `master` matches `webmaster-x`.

    The syntax and the search are those of the original (contract, section 1), and RE2 cannot be made to hang.
    """

    __slots__ = ("_compiled", "source")

    def __init__(self, source: str) -> None:
        """Compile `source`; a bad expression is a `ConfigurationError` with RE2's reason."""
        if len(source) > LIMIT:
            raise ConfigurationError(f"a pattern of {len(source)} characters; at most {LIMIT} are accepted")
        options = re2.Options()
        options.log_errors = False
        try:
            self._compiled = re2.compile(source, options=options)
        except re2.error as error:
            reason = error.args[0] if error.args else error
            reason = reason.decode(errors="replace") if isinstance(reason, bytes) else reason
            raise ConfigurationError(f"`{source}` is not a regular expression (RE2): {reason}") from error
        self.source = source

    def search(self, text: str) -> bool:
        """Say whether the expression matches anywhere in `text`."""
        return self._compiled.search(text) is not None

    def matches_all(self, text: str) -> bool:
        """Say whether the expression matches the whole of `text`, where a mere part would let too much through."""
        return self._compiled.fullmatch(text) is not None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pattern) and other.source == self.source

    def __hash__(self) -> int:
        return hash(self.source)

    def __repr__(self) -> str:
        return f"Pattern({self.source!r})"
