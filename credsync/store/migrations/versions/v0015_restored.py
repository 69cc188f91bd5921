"""Up to which submission a portal's facts came out of a backup."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; nothing was restored yet."""
    op.add_column(
        "portals",
        sa.Column(
            "restored_upto",
            sa.Integer(),
            nullable=True,
            comment="the last submission in the backup that was restored: none up to it is sent by itself",
        ),
    )
