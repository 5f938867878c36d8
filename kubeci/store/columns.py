"""Types of columns that hold on both databases whatever the outside sends."""

from __future__ import annotations

import zlib

from sqlalchemy import Dialect, LargeBinary, String, Text
from sqlalchemy.types import TypeDecorator


class Words(TypeDecorator[str]):
    """A short text; what a database cannot hold becomes `\N{REPLACEMENT CHARACTER}` or a question mark.

    PostgreSQL refuses NUL, and neither takes half of a surrogate pair. Both may stand in a commit's files.
    """

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's
        """Make a text that every database takes."""
        if value is None:
            return None
        return value.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


class LongWords(Words):
    """The same without a limit."""

    impl = Text
    cache_ok = True


class PackedJson(TypeDecorator[bytes]):
    """A JSON document, compressed; rows from before it was are read as they are."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002 - SQLAlchemy's
        """Compress a document."""
        return None if value is None else zlib.compress(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002 - SQLAlchemy's
        """Give the document."""
        # A zlib stream begins with 0x78, which is `x`: no JSON document does (RFC 1950, section 2.2).
        return zlib.decompress(value) if value and value.startswith(b"x") else value
