"""Turns: transactions that must not run at the same time, across processes and machines."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session


def take_turn(session: Session, name: str) -> None:
    """Wait until no other transaction has the turn of this name; it is ours until this transaction ends.

    SQLite has one writer at a time anyway. A transaction that takes several turns takes them in the order of their names.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
