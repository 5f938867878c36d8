"""Addresses that are reached without a proxy, where Go's reading of `NO_PROXY` goes beyond Python's."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit


def is_direct(url: str, no_proxy: str) -> bool:
    """Say whether the host of `url` is an IP address in one of the networks that `no_proxy` lists (`10.0.0.0/8`).

    A cluster's address inside the cluster is one, and Go's clients know networks (golang.org/x/net/http/httpproxy);
    aiohttp and httpx compare texts only. Names and single addresses are left to them.
    """
    try:
        address = ip_address(urlsplit(url).hostname or "")
    except ValueError:
        return False
    return any(_holds(part.strip(), address.compressed) for part in no_proxy.split(",") if "/" in part)


def _holds(network: str, address: str) -> bool:
    try:
        return ip_address(address) in ip_network(network, strict=False)
    except ValueError:
        return False
