"""How alembic runs the revisions: on the connection that `storage.schema` holds, a transaction per revision."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=None,
    transaction_per_migration=True,
    version_table="schema_revision",
)
with context.begin_transaction():
    context.run_migrations()
