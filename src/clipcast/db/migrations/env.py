"""Alembic's entry: runs the migrations on the connection that `clipcast.db.migrate` hands over.

`target_metadata` is there only for comparing and drafting revisions; running them needs no model.
"""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes.get("target_metadata"),
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
