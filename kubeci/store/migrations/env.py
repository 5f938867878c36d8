"""Run the revisions in the transaction that `kubeci.store.migrate` has begun; Alembic executes this file."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
