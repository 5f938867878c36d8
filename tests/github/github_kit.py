from __future__ import annotations

Requests = list[tuple[str, str, int]]
"""What telemetry heard: method, route, status."""
