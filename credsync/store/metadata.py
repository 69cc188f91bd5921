"""What every table is declared in, and how its constraints are named."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, MetaData, String

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = BigInteger().with_variant(Integer, "sqlite")
"""A number that the database chooses."""


def of_therapist() -> Column[str]:
    """Whose row it is."""
    return Column("therapist_id", String(36), ForeignKey("therapists.id"), nullable=False)
