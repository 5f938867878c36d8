"""Which replica works on a delivery, and until when nobody else takes it up."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Float, String

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns; what was under way has no end of its claim, and may be taken up at once."""
    op.add_column("deliveries", Column("claimed_by", String(255), nullable=False, server_default=""))
    op.add_column("deliveries", Column("claimed_until", Float, nullable=False, server_default="0"))
