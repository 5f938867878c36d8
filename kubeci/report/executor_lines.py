"""What Argo's executor writes into a container's log beside the command, which says nothing of it."""

from __future__ import annotations

import re

# As `argo-workflows/workflow/executor` marks its lines in either of its formats, `text` and `json`.
# Its warnings and errors stay: an output that was not written is why a step fails.
_TEXT = re.compile(r"time=\"?\d{4}-\d\d-\d\dT\S+ level=(?:info|debug) .*\bargo=true\b", re.IGNORECASE)
_JSON = re.compile(r"\{(?=.*\"level\":\"(?:info|debug)\")(?=.*\"msg\":).*\"argo\":true\b", re.IGNORECASE)


def is_executors(line: str) -> bool:
    """Say whether a line of a log is the executor's own and tells of no trouble: `time=… level=info msg="capturing logs" argo=true`."""
    return (line.startswith("time=") and _TEXT.match(line) is not None) or (
        line.startswith("{") and _JSON.match(line) is not None
    )
