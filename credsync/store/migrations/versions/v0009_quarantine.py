"""Values that HubSpot refused are not sent again by themselves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from credsync.store.database import Moment

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; what was refused before is refused, and found, once more."""
    op.create_table(
        "quarantined_values",
        sa.Column("portal", sa.String(100), nullable=False),
        sa.Column("object", sa.String(100), nullable=False),
        sa.Column("record_id", sa.String(32), nullable=False),
        sa.Column("property", sa.String(200), nullable=False),
        sa.Column("therapist_id", sa.String(36), nullable=False),
        sa.Column("value_digest", sa.String(32), nullable=False, comment="salted with its place"),
        sa.Column("definition_digest", sa.String(32), nullable=False, comment="of type, options and rules"),
        sa.Column("code", sa.String(100), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("since", Moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["therapist_id"], ["therapists.id"], name="fk_quarantined_values_therapist_id"
        ),
        sa.PrimaryKeyConstraint("portal", "object", "record_id", "property", name="pk_quarantined_values"),
        comment="what HubSpot refused of a record, without the value: not sent again until it or the property changes",
    )
    op.create_index("ix_quarantined_values_therapist_id", "quarantined_values", ["therapist_id"])
