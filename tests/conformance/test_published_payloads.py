from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from published import FETCHED

from kubeci.github.events import decode
from kubeci.model.event import IgnoredEvent

pytestmark = pytest.mark.conformance

RESULTS = {
    "ignored by name": 306,
    "CheckSuiteEvent of check_suite requested": 3,
    "CheckSuiteEvent of check_suite rerequested": 2,
    "CheckRunEvent of check_run rerequested": 2,
    "CheckRunEvent of check_run requested_action": 1,
    "TagCreatedEvent of create tag": 1,
    "PushEvent of push": 2,
    "MergeGroupEvent of merge_group checks_requested": 2,
    "PullRequestEvent of pull_request opened": 3,
    "PullRequestEvent of pull_request reopened": 2,
    "PullRequestEvent of pull_request ready_for_review": 1,
    "PullRequestEvent of pull_request synchronize": 1,
    "PullRequestEvent of pull_request closed": 2,
    # Their four deployments ask for no run.
    "CommentEvent of issue_comment created": 1,
}
"""What becomes of the 329 payloads."""

RESULTS_OF_AN_APP = {
    "ignored by name": 291,
    "CheckSuiteEvent of check_suite requested": 3,
    "CheckSuiteEvent of check_suite rerequested": 2,
    "CheckRunEvent of check_run rerequested": 2,
    "CheckRunEvent of check_run requested_action": 1,
    "TagCreatedEvent of create tag": 5,
    "PushEvent of push": 2,
    "MergeGroupEvent of merge_group checks_requested": 2,
    "PullRequestEvent of pull_request opened": 4,
    "PullRequestEvent of pull_request reopened": 2,
    "PullRequestEvent of pull_request ready_for_review": 3,
    "PullRequestEvent of pull_request synchronize": 1,
    "PullRequestEvent of pull_request closed": 2,
    "CommentEvent of issue_comment created": 5,
    "CommentEvent of issues opened": 4,
}
"""What becomes of them when those recorded by a repository's webhook come from an installation, too."""


@pytest.mark.parametrize(
    ("extra", "expected"), [({}, RESULTS), ({"installation": {"id": 1}}, RESULTS_OF_AN_APP)]
)
def test_every_published_payload_decodes_or_is_ignored_by_name(
    extra: dict[str, Any], expected: dict[str, int]
) -> None:
    published = json.loads((FETCHED / "webhooks-examples" / "api.github.com" / "index.json").read_text())
    results: Counter[str] = Counter()
    for event in published:
        for payload in event["examples"]:
            name = f"{event['name']} {payload.get('action', '')}".strip()
            result = decode(event["name"], json.dumps(extra | payload).encode())
            if isinstance(result, IgnoredEvent):
                assert result.reason.startswith(name)
                results["ignored by name"] += 1
            else:
                kind = f"{name} {payload.get('ref_type', '')}".strip()
                results[f"{type(result).__name__} of {kind}"] += 1
    assert len(published) == 58
    assert results == expected
