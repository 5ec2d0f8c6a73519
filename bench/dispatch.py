"""Handing out 100 of 1,000 due publications to Celery's workers, with 1,000 and with 1,000,000 more scheduled for later.

What is due and what comes later are spread over the same 200 accounts on all three platforms. The broker is a list in memory: a real one
is sent the same 100 ids whatever the table's size, so what it adds is the same on both sides, and would only bring their ratio closer to 1.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from bench import sizes, world
from bench.sizes import DUE, NOW
from clipcast.accounts.models import SocialAccount
from clipcast.db.base import new_id
from clipcast.db.engine import Database
from clipcast.publications import handing
from clipcast.publications.handing import Lane
from clipcast.publications.models import Publication
from clipcast.worker.dispatch import BATCH, QUEUE_LENGTH, Dispatcher

ACCOUNTS = 200
ASKED = 20
PLATFORMS = ("instagram", "tiktok", "youtube")
BEFORE_ALL = NOW - timedelta(days=1)


def measure() -> list[str]:
    """For each database: a round with work, one without, and the next of an account; each with both sizes and their ratio."""
    work = {
        f"hand out {BATCH} of {DUE:,} due": _hand_out_ms,
        "find nothing due": _find_nothing_ms,
        "find the next one of an account": _next_of_account_ms,
    }
    return sizes.compare(_fill, work)


class Paper:
    """Queues in memory, each with room for one more batch."""

    def __init__(self) -> None:
        self.sent: dict[Lane, list[str]] = {lane: [] for lane in Lane}

    @contextmanager
    def opened(self) -> Iterator["Paper"]:
        """It is always there."""
        yield self

    def waiting(self, lane: Lane) -> int:
        """What was sent, and what nobody took before."""
        return QUEUE_LENGTH - BATCH + len(self.sent[lane])

    def send(self, lane: Lane, publication_ids: Sequence[str]) -> None:
        """Write them down."""
        self.sent[lane] += publication_ids


def _hand_out_ms(db: Database) -> float:
    paper = Paper()
    dispatcher = Dispatcher(db, lambda: NOW, paper.opened)
    start = time.perf_counter()
    handed_out = dispatcher.run()
    elapsed_ms = (time.perf_counter() - start) * 1000
    sent = paper.sent[Lane.UPLOADS]
    assert handed_out == len(sent) == BATCH
    with db.writing() as session:
        handing.take_back(session, sent)
    return elapsed_ms


def _find_nothing_ms(db: Database) -> float:
    """A round before the first one falls due."""
    dispatcher = Dispatcher(db, lambda: BEFORE_ALL, Paper().opened)
    start = time.perf_counter()
    handed_out = dispatcher.run()
    elapsed_ms = (time.perf_counter() - start) * 1000
    assert handed_out == 0
    return elapsed_ms


def _next_of_account_ms(db: Database) -> float:
    """The mean over some accounts, each in a transaction of its own, as when one of its publications steps aside."""
    with db.reading() as session:
        newest, oldest = _ends_of_lines(session)
    found = []
    start = time.perf_counter()
    for publication_id in newest:
        with db.reading() as session:
            found.append(handing.next_of_account(session, NOW, publication_id))
    elapsed_ms = (time.perf_counter() - start) * 1000
    assert found == oldest
    return elapsed_ms / len(found)


def _ends_of_lines(session: Session) -> tuple[list[str], list[str]]:
    """The ids of what some accounts have due last, and of what they have due first."""
    lines: dict[str | None, list[str]] = {}
    due = select(Publication.social_account_id, Publication.id).where(Publication.next_action_at <= NOW)
    for account_id, publication_id in session.execute(due.order_by(Publication.next_action_at)):
        lines.setdefault(account_id, []).append(publication_id)
    asked = list(lines.values())[:ASKED]
    return [line[-1] for line in asked], [line[0] for line in asked]


def _fill(db: Database, later: int) -> None:
    with db.writing() as session:
        clip_id = world.add_clip(session, NOW)
        for number in range(ACCOUNTS):
            platform = PLATFORMS[number % len(PLATFORMS)]
            due = [NOW - timedelta(seconds=place) for place in range(number, DUE, ACCOUNTS)]
            to_come = [NOW + timedelta(days=1, seconds=place) for place in range(number, later, ACCOUNTS)]
            world.add_publications(session, clip_id, due + to_come, NOW, _add_account(session, platform), platform=platform)


def _add_account(session: Session, platform: str) -> str:
    """An account without credentials: handing out never reads them."""
    account_id = new_id()
    facts = {"platform": platform, "username": account_id, "created_at": NOW, "updated_at": NOW}
    session.execute(insert(SocialAccount).values(id=account_id, **facts))
    return account_id
