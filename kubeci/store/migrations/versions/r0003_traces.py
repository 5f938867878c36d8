"""What a delivery is about, what was done for it, which build it asked for; moments, and what one replica does at a time."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Float, Integer, LargeBinary, String

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add tables and columns; deliveries and builds from before say nothing of one another."""
    op.add_column("deliveries", Column("repository", String(255), nullable=False, server_default=""))
    op.add_column("deliveries", Column("sha", String(64), nullable=False, server_default=""))
    op.add_column("deliveries", Column("wanted_at", Float, nullable=True))
    op.add_column("deliveries", Column("claim", String(64), nullable=False, server_default=""))
    op.add_column("deliveries", Column("lost", Integer, nullable=False, server_default="0"))
    op.create_index("deliveries_repository", "deliveries", ["repository", "received_at"])
    op.create_index("deliveries_sha", "deliveries", ["sha"])
    op.add_column("builds", Column("delivery_id", String(64), nullable=False, server_default=""))
    op.add_column("builds", Column("retry_wish", String(64), nullable=False, server_default=""))
    op.add_column("builds", Column("retried_check_run", BigInteger, nullable=False, server_default="0"))
    op.create_index("builds_retry", "builds", ["retry_wish"])
    op.create_table(
        "traces",
        Column("delivery_id", String(64), primary_key=True),
        Column("began_at", Float, primary_key=True),
        Column("body", LargeBinary, nullable=False),
    )
    op.create_table(
        "marks",
        Column("name", String(64), primary_key=True),
        Column("at", Float, nullable=False),
    )
    op.create_table(
        "locks",
        Column("name", String(255), primary_key=True),
        Column("holder", String(255), nullable=False),
        Column("until", Float, nullable=False),
    )
