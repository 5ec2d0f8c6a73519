"""What all tables share: naming, column types, the identity of rows."""

from datetime import UTC, datetime

from sqlalchemy import JSON, DateTime, Dialect, MetaData, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator
from uuid_utils import uuid7

from clipcast.db.storable import storable

JsonColumn = JSON().with_variant(JSONB(), "postgresql")


def new_id() -> str:
    """A new row's id: a UUIDv7, so that ids sort by age."""
    return str(uuid7())


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC. SQLite forgets the zone, so it is put back when reading; naive values are refused when writing."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """UTC for the database; raises ValueError for a naive datetime."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime reached the database; every time in Clipcast is aware")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Aware UTC for us."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Words(TypeDecorator[str]):
    """Words that others chose, such as a platform's sentence: kept as far as they fit, because what they tell of is no less true."""

    impl = String
    cache_ok = True

    def __init__(self, longest: int | None = None) -> None:
        super().__init__()
        self.impl = String(longest) if longest else Text()  # type: ignore[assignment]  # of an instance it is one; only the class names a class
        self.longest = longest

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """What the column can hold of it."""
        del dialect
        return None if value is None else storable(value, self.longest)


class Base(DeclarativeBase):
    """Parent of every table; constraint names are fixed so that migrations can speak of them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
