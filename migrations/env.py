"""Runs migrations on the connection, and in the transaction, opened by `mirpipe.db.migrate`."""

from alembic import context

from mirpipe.db.migrate import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSION_TABLE,
    version_table_schema="public",
)
with context.begin_transaction():
    context.run_migrations()
