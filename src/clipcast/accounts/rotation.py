"""Changing the keys of the vault while everything runs.

Row by row, each in a transaction of its own: the row is read again under its lock and replaced only if it still holds the ciphertext that
was read, so that a refresh at the same moment loses nothing. Killed anywhere, it goes on where it was when it is started again: what is
encrypted under the first key already is left alone.

Generated keys: the new key is written into the file, before the old ones, before any row changes. Running processes look whether the file
changed before they encrypt, and when they meet a key that they do not know. Therefore the key before the newest stays in the file until
the next rotation, and longer if that one comes within `GRACE`: whoever encrypted at the moment of the change has written long since.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import LargeBinary, func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from clipcast.accounts.keys import KeyFile
from clipcast.accounts.models import PendingLink, SocialAccount
from clipcast.accounts.vault import HEADER_BYTES, CredentialError, Vault, key_name
from clipcast.db.engine import Database
from clipcast.log import get_logger

GRACE: Final = timedelta(hours=1)
"""Longer than any transaction that encrypts may take."""
_PAGE: Final = 500

log = get_logger(__name__)

Outcome: TypeAlias = Literal["rewritten", "unreadable", "left"]


@dataclass(frozen=True, slots=True)
class Sealed:
    """A column that holds what the vault encrypted, for the identity `<table>/<id>/<column>`."""

    model: type[Any]
    id: InstrumentedAttribute[str]
    column: InstrumentedAttribute[Any]

    def identity(self, row_id: str) -> str:
        """What the ciphertext of this row is bound to."""
        return f"{self.model.__tablename__}/{row_id}/{self.column.key}"


SEALED: Final = (
    Sealed(SocialAccount, SocialAccount.id, SocialAccount.credentials),
    Sealed(PendingLink, PendingLink.id, PendingLink.sealed),
)
"""Everything that the vault has encrypted."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key by its id, how many rows need it, and whether it is in the ring; the first of the ring encrypts."""

    id: str
    rows: int
    known: bool
    first: bool


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation did: rows that were encrypted anew, rows that cannot be decrypted, and the keys that it made and dropped."""

    rewritten: int
    unreadable: int
    made_key: bool
    dropped: tuple[str, ...]
    keys: tuple[Key, ...]


def rotate(db: Database, vault: Vault, file: KeyFile | None, now: datetime) -> Rotation:
    """Encrypt everything under the first key of the ring; of a file, under a new one, unless an earlier rotation was left unfinished.

    `file` is None where the keys are given by the environment.

    Raises:
        ConfigurationError: the file is unusable; nothing was changed.
        Busy: the database cannot take it now; start it again, it goes on where it was.
    """
    if file is not None:
        file.read()
    done = _sweep(db, vault)
    if file is None or done["rewritten"]:
        return _told(db, vault, done)
    rested = now - file.written_at() >= GRACE
    previous = vault.key_ids[0]
    file.put_new_first()
    done = _sweep(db, vault)
    dropped = _drop(db, vault, file, previous) if rested else ()
    return _told(db, vault, done, made_key=True, dropped=dropped)


def keys_in_use(db: Database, vault: Vault) -> list[Key]:
    """The keys of the ring, the one that encrypts first, and then those that are missing; each with the rows that need it."""
    needed, ring = needed_keys(db), vault.key_ids
    known = [Key(key_id, needed.get(key_id, 0), known=True, first=key_id == ring[0]) for key_id in ring]
    return known + [Key(key_id, rows, known=False, first=False) for key_id, rows in sorted(needed.items()) if key_id not in ring]


def needed_keys(db: Database) -> Mapping[str, int]:
    """How many rows each key encrypts, by its id; what does not begin as the vault writes names no key."""
    needed: Counter[str] = Counter()
    with db.reading() as session:
        for place in SEALED:
            beginning = _beginning(place)
            query = select(beginning, func.count()).where(place.column != b"").group_by(beginning)
            for header, rows in session.execute(query):
                key_id = key_name(bytes(header))
                if key_id is not None:
                    needed[key_id] += rows
    return needed


def _told(db: Database, vault: Vault, done: Counter[Outcome], *, made_key: bool = False, dropped: tuple[str, ...] = ()) -> Rotation:
    log.info("keys.rotated", rewritten=done["rewritten"], unreadable=done["unreadable"], made_key=made_key, dropped=len(dropped))
    return Rotation(done["rewritten"], done["unreadable"], made_key, dropped, tuple(keys_in_use(db, vault)))


def _drop(db: Database, vault: Vault, file: KeyFile, previous: str) -> tuple[str, ...]:
    """Take out of the file what neither a row nor a process that encrypts needs any more."""
    needed, ring = needed_keys(db), vault.key_ids
    dropped = tuple(key_id for key_id in ring[1:] if key_id != previous and key_id not in needed)
    if dropped:
        file.keep_only([key_id for key_id in ring if key_id not in dropped])
    return dropped


def _sweep(db: Database, vault: Vault) -> Counter[Outcome]:
    """Every row that another key than the first encrypts, each in its own transaction."""
    done: Counter[Outcome] = Counter()
    for place in SEALED:
        last = ""
        while row_ids := _stale(db, place, vault, after=last):
            for row_id in row_ids:
                with db.writing() as session:
                    done[_reseal(session, place, row_id, vault)] += 1
            last = row_ids[-1]
    return done


def _stale(db: Database, place: Sealed, vault: Vault, *, after: str) -> list[str]:
    query = select(place.id).where(place.id > after, place.column != b"", _beginning(place) != vault.header)
    with db.reading() as session:
        return list(session.scalars(query.order_by(place.id).limit(_PAGE)))


def _reseal(session: Session, place: Sealed, row_id: str, vault: Vault) -> Outcome:
    sealed = session.scalar(select(place.column).where(place.id == row_id).with_for_update())
    if not sealed or sealed.startswith(vault.header):
        return "left"  # deleted, emptied or written anew, since we saw it
    identity = place.identity(row_id)
    try:
        fresh = vault.encrypt(vault.decrypt(sealed, identity), identity)
    except CredentialError as error:
        log.warning("keys.row_unreadable", table=place.model.__tablename__, row_id=row_id, reason=str(error))
        return "unreadable"
    replaced = update(place.model).where(place.id == row_id, place.column == sealed).values({place.column: fresh}).returning(place.id)
    return "left" if session.scalar(replaced) is None else "rewritten"


def _beginning(place: Sealed) -> Any:
    return func.substr(place.column, 1, HEADER_BYTES, type_=LargeBinary)
