"""Addresses of modules and files, resolved as Go's net/url does for the original (contract, section 3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a module or file lives; `path` is absolute, decoded and free of dots, `query` is as written."""

    scheme: str
    host: str
    path: str
    query: str = ""

    def __str__(self) -> str:
        """Write the address as `load` takes it."""
        query = f"?{self.query}" if self.query else ""
        return f"{self.scheme}://{self.host}{self.path}{query}"

    @property
    def file(self) -> str:
        """Name the address for messages: a file of the context by its plain path, anything else in full."""
        return self.path.removeprefix("/") if self.scheme == "context" else str(self)


def context_address(path: str) -> Address:
    """Give the address of a file of the CI context."""
    return Address("context", "", f"/{path}")


def resolve(base: Address, text: str) -> Address:
    """Read an address as a module at `base` means it.

    `x.star` stands beside the module, `/x.star` and `///x.star` at its root, `//host/x.star` keeps the scheme.
    Raises ValueError for an address without a path.
    """
    match = _SCHEME.fullmatch(text)
    scheme, rest = (match[1].lower(), match[2]) if match else (base.scheme, text)
    rest, _, query = rest.partition("#")[0].partition("?")
    host = "" if match else base.host
    if rest.startswith("//"):
        host, slash, path = rest[2:].partition("/")
        path = slash + path
    else:
        path = rest
    if not path.strip("/"):
        raise ValueError(f"`{text}` names no file")
    if not path.startswith("/"):
        path = f"{base.path.rpartition('/')[0]}/{path}"
    return Address(scheme, host, _without_dots(unquote(path)), query)


def _without_dots(path: str) -> str:
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in {"", "."}:
            parts.append(part)
    return "/" + "/".join(parts)
