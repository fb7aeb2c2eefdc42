"""${message}.

Made by `python -m storage.migrations.remake`; not written by hand.
"""
# ruff: noqa: PLR0915 - a schema is as long as it is

import sqlalchemy as sa
import sqlmodel
from alembic import op
${imports if imports else ""}
import storage.columns

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One step forward."""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """There is no way back but a backup."""
    raise NotImplementedError
