from __future__ import annotations

import ssl

PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""No TLS here, and no time for reading certificates."""
Requests = list[tuple[str, str, int]]
"""What telemetry heard: method, route, status."""
