"""What planning had seen, so that a later change of the portal file sends nothing of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; whoever was planned before had all of it seen."""
    op.add_column(
        "therapists",
        sa.Column(
            "planned_submission",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            server_default="0",
            comment="the newest submission that planning had seen",
        ),
    )
    op.execute(
        "UPDATE therapists SET planned_submission = coalesce((SELECT max(submissions.id) FROM submissions "
        "WHERE submissions.therapist_id = therapists.id), 0) WHERE generation = settled_generation"
    )
