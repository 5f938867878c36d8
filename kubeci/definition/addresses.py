"""Addresses of modules and files, resolved as Go's net/url does for the original (contract, section 3).

`context:///x.star`, `github://repo.org/x.star?ref=v1`, `https://host/x.star`, `builtin:///re`; without a scheme an address
is relative to the module that loads it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import parse_qs, quote, unquote

MAX_ADDRESS = 2_000  # characters
HTTPS_PORT = 443
SCHEMES = ("builtin", "context", "github", "https")

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)", re.DOTALL)
_REPOSITORY = re.compile(r"(?!\.{1,2}\.[^.]*$)[A-Za-z0-9._-]{1,100}\.[A-Za-z0-9](?:[A-Za-z0-9_-]{0,38})")
_OWNERLESS = re.compile(r"[A-Za-z0-9_-]{1,100}")
# git's own rules for names of refs (git-check-ref-format), so that a ref cannot be a git expression.
_REF = re.compile(
    r"(?!.*(?:\.\.|@\{|//|/\.|\.lock$|\.lock/))[^\x00-\x20\x7f~^:?*\[\\\-./][^\x00-\x20\x7f~^:?*\[\\]{0,254}(?<![./])"
)
_HOST = re.compile(r"([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a module or file lives.

    `path` is absolute and free of dots; it is decoded, but for https, whose server alone knows what its escapes mean.
    `host` is `repo.org` for github, empty for context and builtin. `query` is the ref of github (empty: the default
    branch), what follows the question mark for https, and empty for others.
    """

    scheme: str
    host: str
    path: str
    query: str = ""

    def __str__(self) -> str:
        """Write the address as messages show it, which is as `load` takes it but for escapes."""
        query = f"ref={self.query}" if self.scheme == "github" and self.query else self.query
        return f"{self.scheme}://{self.host}{self.path}{'?' if query else ''}{query}"

    @property
    def file(self) -> str:
        """Name the address for messages: a file of the context by its plain path, anything else in full."""
        return self.path.removeprefix("/") if self.scheme == "context" else str(self)

    @property
    def repository(self) -> tuple[str, str]:
        """Give owner and name of a github address; an owner has no dot, a name may have some."""
        name, _, owner = self.host.rpartition(".")
        return owner, name

    @property
    def url(self) -> str:
        """Give the address of an https one as it is requested."""
        query = f"?{quote(self.query, safe=_QUERY_SAFE)}" if self.query else ""
        return f"https://{self.host}{quote(self.path, safe=_PATH_SAFE)}{query}"


_PATH_SAFE = "/%!$&'()*+,;=:@~"
_QUERY_SAFE = f"{_PATH_SAFE}?"


def context_address(path: str) -> Address:
    """Give the address of a file of the CI context."""
    return Address("context", "", f"/{path}")


def resolve(base: Address, text: str, owner: str = "") -> Address:
    """Read an address as a module at `base` means it.

    `x.star` stands beside the module, `/x.star` and `///x.star` at the root of its repository, host or folder,
    `//host/x.star` keeps the scheme alone. A relative address in a repository keeps its ref, any other has its own or
    none. `owner` is the owner of the build's repository, for a github address without one in the context.
    Raises ValueError with the reason for what is no address.
    """
    if len(text) > MAX_ADDRESS:
        raise ValueError(f"an address of {len(text):,} characters; at most {MAX_ADDRESS:,} are accepted")
    match = _SCHEME.fullmatch(text)
    scheme, rest = (match[1].lower(), match[2]) if match else (base.scheme, text)
    if scheme not in SCHEMES:
        raise ValueError(
            f"there are no {scheme}:// addresses; there are {', '.join(f'{s}://' for s in SCHEMES)}"
        )
    rest, _, query = rest.partition("#")[0].partition("?")
    host, path = "", rest
    if rest.startswith("//"):
        host, slash, path = rest[2:].partition("/")
        path = slash + path
    relative = not match and not host
    if not path.strip("/"):
        raise ValueError(f"`{text}` names no file")
    if not path.startswith("/"):
        path = f"{base.path.rpartition('/')[0] if relative else ''}/{path}"
    path = _without_dots(path if scheme == "https" else unquote(path))
    if scheme == "github":
        query = _ref(query) or (base.query if relative else "")
        host = base.host if relative else _with_owner(host, base, owner)
    elif relative:
        host = base.host
    address = Address(scheme, host, path, query if scheme in {"github", "https"} else "")
    return check(replace(address, host=_https_host(host)) if scheme == "https" else address)


def check(address: Address) -> Address:
    """Give an address back that keeps the rules of its scheme; ValueError with the one that it breaks."""
    if not address.path.isprintable() or not address.query.isprintable():
        raise ValueError("an address holds no control characters")
    if address.path == "/" or _without_dots(address.path) != address.path:
        raise ValueError(f"`{address}` names no file")
    match address.scheme:
        case "github":
            if not _REPOSITORY.fullmatch(address.host):
                raise ValueError(f"`{address}` names no repository; it is written github://repo.org/path")
            if address.query and not _REF.fullmatch(address.query):
                raise ValueError(f"`{address.query:.100}` is not the name of a branch, tag or commit")
        case "https":
            if _https_host(address.host) != address.host:
                raise ValueError(f"`{address}` names no host")
        case "context" | "builtin":
            if address.host:
                raise ValueError(
                    f"a {address.scheme} address has three slashes: {address.scheme}:///"
                    + ("name.star" if address.scheme == "context" else "name")
                )
        case _:
            raise ValueError(f"there are no {address.scheme}:// addresses")
    return address


def _with_owner(host: str, base: Address, owner: str) -> str:
    """Complete a repository's name by the owner of the loading module's repository."""
    if not _OWNERLESS.fullmatch(host):
        return host
    if base.scheme == "github":
        owner = base.repository[0]
    return f"{host}.{owner}"


def _ref(query: str) -> str:
    return parse_qs(query, max_num_fields=20).get("ref", [""])[0]


def _https_host(host: str) -> str:
    """Write a host and its port in the one way: lower case, without the usual port."""
    if "@" in host:
        raise ValueError("an https address holds no user name and no password")
    match = _HOST.fullmatch(_ascii(host))
    if match is None or int(match[2] or HTTPS_PORT) not in range(1, 1 << 16):
        raise ValueError(f"`{host:.100}` is no host")
    port = int(match[2] or HTTPS_PORT)
    name = match[1].lower().removesuffix(".")
    return name if port == HTTPS_PORT else f"{name}:{port}"


def _ascii(host: str) -> str:
    try:
        return host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        return ""


def _without_dots(path: str) -> str:
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in {"", "."}:
            parts.append(part)
    return "/" + "/".join(parts)
