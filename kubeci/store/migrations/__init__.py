"""What Alembic needs to bring an older database up to date."""
