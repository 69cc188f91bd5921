"""When a backup was restored, and an index of what is held since."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from credsync.store.database import Moment

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_HELD_BY_BACKUP = sa.text("reason IN ('restored', 'restored_differs')")


def upgrade() -> None:
    """Of what was restored before, the moment is not known, and no alert tells of it."""
    op.add_column(
        "portals",
        sa.Column(
            "restored_at",
            Moment(),
            nullable=True,
            comment="when credsync was told so: whoever is due since has not been looked at",
        ),
    )
    op.create_index(
        "ix_writes_held_by_backup",
        "writes",
        ["therapist_id"],
        sqlite_where=_HELD_BY_BACKUP,
        postgresql_where=_HELD_BY_BACKUP,
    )
