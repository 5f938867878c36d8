"""The tables; times are seconds since the epoch, UTC.

What changes here needs a revision in `migrations/versions` too, named in `migrate.REVISIONS`.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
)

from kubeci.store.columns import LongWords, PackedJson, Words

metadata = MetaData()

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Words(64), primary_key=True),
    Column("event", Words(64), nullable=False),
    Column("payload", PackedJson, nullable=False),
    Column("received_at", Float, nullable=False),
    # waiting → working → done | parked; a retry goes back to waiting with a later `due`
    Column("state", Words(16), nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("due", Float, nullable=False),
    Column("reason", LongWords, nullable=False, default=""),
    # The replica that works on it, or was the last to; until when nobody else takes it up.
    Column("claimed_by", Words(255), nullable=False, server_default=""),
    Column("claimed_until", Float, nullable=False, server_default="0"),
    # What it is about, where that was known when it came: `owner/name` in small letters, and a sha.
    Column("repository", Words(255), nullable=False, server_default=""),
    Column("sha", Words(64), nullable=False, server_default=""),
    # Since when its work is wanted anew, by a replay or a redelivery; null: since it was received.
    Column("wanted_at", Float, nullable=True),
    # Which claim it is worked on under, another each time; how many in a row ended with their process.
    Column("claim", Words(64), nullable=False, server_default=""),
    Column("lost", Integer, nullable=False, server_default="0"),
    Index("deliveries_due", "state", "due", "received_at"),
    Index("deliveries_repository", "repository", "received_at"),
    Index("deliveries_sha", "sha"),
)

builds = Table(
    "builds",
    metadata,
    Column("id", Words(64), primary_key=True),
    Column("owner", Words(255), nullable=False),
    Column("name", Words(255), nullable=False),
    Column("installation_id", BigInteger, nullable=False),
    Column("sha", Words(64), nullable=False),
    Column("ref_type", Words(16), nullable=False),
    Column("ref_name", LongWords, nullable=False),
    Column("entrypoint", LongWords, nullable=False),
    Column("check_name", LongWords, nullable=False),
    Column("namespace", Words(64), nullable=False),
    Column("workflow_name", Words(253), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("nonce", Words(64), nullable=False),
    Column("workflow_uid", Words(64), nullable=False),
    Column("check_run_id", BigInteger, nullable=False),
    Column("state", Words(16), nullable=False),
    Column("superseded_by", Words(64), nullable=False),
    Column("head_repository", LongWords, nullable=False),
    Column("pull_request", Integer, nullable=False),
    Column("stopped", LongWords, nullable=False),
    Column("stop_wish", LongWords, nullable=False),
    Column("warnings", LargeBinary, nullable=False),  # a list of texts as JSON, as are the next two
    Column("prints", LargeBinary, nullable=False),
    Column("loaded", LargeBinary, nullable=False),
    Column("what", Words(32), nullable=False),
    Column("actor", LongWords, nullable=False),
    Column("title", LongWords, nullable=False),
    Column("environment", LongWords, nullable=False),
    Column("deployment_id", BigInteger, nullable=False),
    Column("plan", LargeBinary, nullable=False),  # a Plan as JSON
    Column("conclusion", Words(32), nullable=False),
    Column("former_conclusion", Words(32), nullable=False),
    Column("finished_at", Float, nullable=True),
    # The delivery that asked for it; empty: a request of the API did.
    Column("delivery_id", Words(64), nullable=False, server_default=""),
    # The wish by which its workflow was retried last, and the check-run that it had then.
    Column("retry_wish", Words(64), nullable=False, server_default=""),
    Column("retried_check_run", BigInteger, nullable=False, server_default="0"),
    Index("builds_workflow", "namespace", "workflow_name", unique=True),
    Index("builds_sha", "sha"),
    Index("builds_check_run", "check_run_id"),
    Index("builds_retry", "retry_wish"),
    Index("builds_state", "state", "created_at"),
    Index("builds_repository", "owner", "name", "created_at"),
    Index("builds_created", "created_at"),
)

reported = Table(
    "reported",
    metadata,
    Column("build_id", Words(64), primary_key=True),
    Column("digest", Words(64), nullable=False),
    Column("written_at", Float, nullable=True),
    Column("writes", Integer, nullable=False),
    Column("annotations", Integer, nullable=False),
    Column("completed", Boolean, nullable=False),
    Column("sending", Boolean, nullable=False),
)

outcomes = Table(
    "outcomes",
    metadata,
    Column("build_id", Words(64), primary_key=True),
    Column("body", LargeBinary, nullable=False),  # an Outcome as JSON
)

deployments = Table(
    "deployments",
    metadata,
    Column("build_id", Words(64), primary_key=True),
    Column("node_id", Words(253), primary_key=True),
    Column("body", LargeBinary, nullable=False),  # a DeploymentTold as JSON
)

logs = Table(
    "logs",
    metadata,
    Column("build_id", Words(64), primary_key=True),
    Column("node_id", Words(253), primary_key=True),
    Column("kept_as", Integer, nullable=False),  # counts up within a build
    Column("body", LargeBinary, nullable=False),  # a NodeLog as JSON
)

traces = Table(
    "traces",
    metadata,
    Column("delivery_id", Words(64), primary_key=True),
    Column("began_at", Float, primary_key=True),
    Column("body", PackedJson, nullable=False),  # a Trace as JSON
)

marks = Table(
    "marks",
    metadata,
    Column("name", Words(64), primary_key=True),
    Column("at", Float, nullable=False),
)

# What one replica does at a time, whoever it is: until when the holder has it.
locks = Table(
    "locks",
    metadata,
    Column("name", Words(255), primary_key=True),
    Column("holder", Words(255), nullable=False),
    Column("until", Float, nullable=False),
)
