"""Until when HubSpot said that the day's calls are used up, and when what keeps rounds from running ends by itself."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from credsync.store.database import Moment

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; nothing is stopped yet."""
    op.add_column(
        "daily_calls",
        sa.Column(
            "stopped_until",
            Moment(),
            nullable=True,
            comment="until when HubSpot said that none are left; it may be over",
        ),
    )
    op.add_column(
        "portals",
        sa.Column(
            "problem_until",
            Moment(),
            nullable=True,
            comment="when a problem ends by itself, where that is known",
        ),
    )
