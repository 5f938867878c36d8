"""Which addresses of the internet are public: what a fetch on a stranger's word may reach.

By the registries of special-purpose addresses (iana.org, "IPv4 Special-Purpose Address Registry" and its IPv6 sister).
Python's own `is_global` changes with its version, and knows nothing of addresses inside addresses.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_CLOSED_4 = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, the metadata service among them
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
_OPEN_6 = ip_network(
    "2000::/3"
)  # global unicast; mapped (::ffff:0:0/96) and NAT64 (64:ff9b::/96) lie outside
_CLOSED_6 = tuple(
    ip_network(network)
    for network in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, an IPv4 address inside
        "3ffe::/16",  # 6bone, given back
        "3fff::/20",  # documentation
    )
)


def is_public(address: str) -> bool:
    """Say whether an IP address, written out, is one that anybody on the internet may reach."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    match found:
        case IPv4Address():
            return not any(found in network for network in _CLOSED_4)
        case IPv6Address():
            return (
                found.scope_id is None
                and found in _OPEN_6
                and not any(found in network for network in _CLOSED_6)
            )
