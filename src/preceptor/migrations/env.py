"""Alembic's environment: the connection comes from `preceptor.migrations.upgrade`."""

from alembic import context

from preceptor.migrations.metadata import is_ours, metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, include_name=is_ours, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
