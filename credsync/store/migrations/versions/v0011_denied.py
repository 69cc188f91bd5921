"""What a portal's token may not do."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; nothing is denied yet."""
    op.add_column(
        "portals",
        sa.Column(
            "denied",
            sa.JSON(),
            nullable=True,
            comment="object, verb and scopes of each thing that the token may not do",
        ),
    )
