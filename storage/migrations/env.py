"""Alembic's entry: runs the migrations on the connection that `schema` gives it."""

from alembic import context

from storage.migrations.schema import ours
from storage.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata(),
    include_name=ours,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
    transaction_per_migration=False,
)
context.run_migrations()
