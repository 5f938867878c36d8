"""The first tables; a database from before revisions were noted holds them too."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

revision = "0001"
down_revision = None
metadata = MetaData()

Table(
    "deliveries",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("event", String(64), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("received_at", Float, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due", Float, nullable=False),
    Column("reason", Text, nullable=False),
    Index("deliveries_due", "state", "due", "received_at"),
)

Table(
    "builds",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("owner", String(255), nullable=False),
    Column("name", String(255), nullable=False),
    Column("installation_id", BigInteger, nullable=False),
    Column("sha", String(64), nullable=False),
    Column("ref_type", String(16), nullable=False),
    Column("ref_name", Text, nullable=False),
    Column("entrypoint", Text, nullable=False),
    Column("check_name", Text, nullable=False),
    Column("namespace", String(64), nullable=False),
    Column("workflow_name", String(253), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("nonce", String(64), nullable=False),
    Column("workflow_uid", String(64), nullable=False),
    Column("check_run_id", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("superseded_by", String(64), nullable=False),
    Column("head_repository", Text, nullable=False),
    Column("pull_request", Integer, nullable=False),
    Column("stopped", Text, nullable=False),
    Column("stop_wish", Text, nullable=False),
    Column("warnings", LargeBinary, nullable=False),
    Column("prints", LargeBinary, nullable=False),
    Column("loaded", LargeBinary, nullable=False),
    Column("what", String(32), nullable=False),
    Column("actor", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("deployment_id", BigInteger, nullable=False),
    Column("plan", LargeBinary, nullable=False),
    Column("conclusion", String(32), nullable=False),
    Column("former_conclusion", String(32), nullable=False),
    Column("finished_at", Float, nullable=True),
    Index("builds_workflow", "namespace", "workflow_name", unique=True),
    Index("builds_sha", "sha"),
    Index("builds_check_run", "check_run_id"),
    Index("builds_state", "state", "created_at"),
    Index("builds_repository", "owner", "name", "created_at"),
    Index("builds_created", "created_at"),
)

Table(
    "reported",
    metadata,
    Column("build_id", String(64), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("written_at", Float, nullable=True),
    Column("writes", Integer, nullable=False),
    Column("annotations", Integer, nullable=False),
    Column("completed", Boolean, nullable=False),
    Column("sending", Boolean, nullable=False),
)

Table(
    "outcomes",
    metadata,
    Column("build_id", String(64), primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

Table(
    "deployments",
    metadata,
    Column("build_id", String(64), primary_key=True),
    Column("node_id", String(253), primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

Table(
    "logs",
    metadata,
    Column("build_id", String(64), primary_key=True),
    Column("node_id", String(253), primary_key=True),
    Column("kept_as", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
)


def upgrade() -> None:
    """Make the tables."""
    metadata.create_all(op.get_bind())
