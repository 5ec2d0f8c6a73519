"""Upload sessions: what a session URI names, which bytes are persisted, and the answer that a finished one repeats.

A body that is arriving is a piece of the session from its first byte on, in a file of its own. Whoever looks at the
session next settles it: whole 256 KiB blocks of the piece are kept, and the request that was sending it, if it still
lives, can add nothing any more. So a killed process loses no block, and no request touches bytes that were acknowledged.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

from sqlalchemy import Connection, Row, delete, insert, select, update

from clipcast_simulator.exchange import Context, Grant, Reply, Request
from clipcast_simulator.media import Piece
from clipcast_simulator.receiving import size_of
from clipcast_simulator.youtube import ids
from clipcast_simulator.youtube.tables import pieces, sessions

BLOCK: Final = 262_144  #: bytes are kept in blocks of 256 KiB


@dataclass(frozen=True, slots=True)
class Session:
    """An upload session, as stored."""

    id: int
    upload_id: str
    kind: str  #: video or thumbnail
    client_id: str
    username: str
    origin: str  #: scheme and authority, as the client that opened it addressed us
    path: str
    parts: list[str]
    resource: dict[str, Any]
    video_id: str | None  #: whose thumbnail it is
    content_type: str | None
    file_name: str | None
    total: int | None
    persisted: int
    chunks: int  #: bodies that were taken in
    state: str  #: open, complete or gone
    created_at: float
    completed_at: float | None
    final_status: int | None
    final_body: str | None
    slow_s: float
    stuck: bool
    doom: str | None  #: the failure or rejection reason a script wants for its video

    def is_known(self, context: Context) -> bool:
        """Say whether its URI still answers: unfinished for 7 days, finished for 24 hours, as the knobs say."""
        knobs = context.settings.youtube
        if self.state == "complete":
            return context.now <= (self.completed_at or 0.0) + knobs.replay_life_s
        return self.state == "open" and context.now <= self.created_at + knobs.session_life_s

    def uri(self) -> str:
        """Return the absolute session URI."""
        part = f"&part={','.join(self.parts)}" if self.kind == "video" else ""
        return f"{self.origin}{self.path}?uploadType=resumable&upload_id={self.upload_id}{part}"


def create(context: Context, **values: Any) -> Session:
    """Make a session."""
    row = insert(sessions).values(upload_id=ids.upload_id(), created_at=context.now, **values)
    key = context.connection.execute(row).inserted_primary_key
    assert key is not None
    return get(context.connection, int(key[0]))


def get(connection: Connection, session_id: int) -> Session:
    """Return a session that exists."""
    return _session(connection.execute(select(sessions).where(sessions.c.id == session_id)).one())


def by_upload_id(connection: Connection, upload_id: str) -> Session | None:
    """Find a session by the token in its URI."""
    row = connection.execute(select(sessions).where(sessions.c.upload_id == upload_id)).first()
    return None if row is None else _session(row)


def by_request(context: Context, request: Request) -> Session | None:
    """Find the session whose URI a request used."""
    given = [value for name, value in parse_qsl(request.query, keep_blank_values=True) if name == "upload_id"]
    session = by_upload_id(context.connection, given[0]) if len(given) == 1 else None
    return session if session is not None and session.path == request.path else None


def unfinished(connection: Connection, username: str | None) -> list[Session]:
    """Return every video session that made no video, oldest first."""
    query = select(sessions).where(sessions.c.kind == "video", sessions.c.state != "complete").order_by(sessions.c.id)
    if username is not None:
        query = query.where(sessions.c.username == username)
    return [_session(row) for row in connection.execute(query)]


def change(connection: Connection, session: Session, **values: Any) -> Session:
    """Store new values and return the session with them."""
    connection.execute(update(sessions).where(sessions.c.id == session.id).values(**values))
    return get(connection, session.id)


def rename(context: Context, session: Session) -> Session:
    """Give a session a new URI; the old one is dead."""
    return change(context.connection, session, upload_id=ids.upload_id())


def expect(context: Context, session: Session, size: int) -> Grant:
    """Note that a body is arriving at the end of what is persisted, and say where its bytes go."""
    path = context.media / "youtube" / str(session.id) / f"{session.persisted}.{context.entry}"
    file = str(path.relative_to(context.media))
    row = insert(pieces).values(session_id=session.id, first=session.persisted, size=size, file=file, arriving=True)
    key = context.connection.execute(row).inserted_primary_key
    assert key is not None
    return Grant(path, size, int(key[0]), session.persisted)


def arriving(connection: Connection, grant: Grant) -> Session | None:
    """Return the session of a body that was granted; None when the session was settled without it, or is gone."""
    query = select(sessions).join(pieces, pieces.c.session_id == sessions.c.id)
    row = connection.execute(query.where(pieces.c.id == grant.task, pieces.c.arriving)).first()
    return None if row is None else _session(row)


def take_in(context: Context, session: Session, grant: Grant, kept: int, start: int = 0) -> Session:
    """Persist the first `kept` bytes of a body, from `start` of its file on."""
    _keep(context, grant.task, grant.path, kept, start)
    persisted, chunks = session.persisted + kept, session.chunks + (kept > 0)
    return change(context.connection, session, persisted=persisted, chunks=chunks)


def received(context: Context, session: Session) -> int:
    """Return how many bytes a session would have if it were settled now."""
    row = context.connection.execute(select(pieces).where(pieces.c.session_id == session.id, pieces.c.arriving)).first()
    return session.persisted + (0 if row is None else whole_blocks(min(size_of(context.media / row.file), row.size)))


def settle(context: Context, session: Session) -> Session:
    """Persist the whole blocks of a body that is arriving, or that broke off with its process."""
    row = context.connection.execute(select(pieces).where(pieces.c.session_id == session.id, pieces.c.arriving)).first()
    if row is None:
        return session
    path = context.media / row.file
    return take_in(context, session, Grant(path, row.size, row.id, row.first), whole_blocks(min(size_of(path), row.size)))


def salvage(context: Context, grant: Grant) -> None:
    """Persist the whole blocks of a body that broke off."""
    session = arriving(context.connection, grant)
    if session is not None:
        settle(context, session)
    elif not is_kept(context.connection, grant):
        grant.path.unlink(missing_ok=True)


def is_kept(connection: Connection, grant: Grant) -> bool:
    """Say whether a granted body has become part of its session."""
    return connection.execute(select(pieces.c.id).where(pieces.c.id == grant.task)).first() is not None


def forget_bytes(context: Context, session: Session) -> Session:
    """Lose every byte of a session."""
    for row in context.connection.execute(select(pieces).where(pieces.c.session_id == session.id)).all():
        (context.media / row.file).unlink(missing_ok=True)
    context.connection.execute(delete(pieces).where(pieces.c.session_id == session.id))
    return change(context.connection, session, persisted=0)


def media(context: Context, session_id: int) -> list[Piece]:
    """Return the bytes of a session, in order."""
    rows = context.connection.execute(select(pieces).where(pieces.c.session_id == session_id).order_by(pieces.c.first))
    return [Piece(context.media / row.file, row.start, row.size) for row in rows]


def whole_blocks(size: int) -> int:
    """Return how many bytes the whole blocks of a body have.

    >>> whole_blocks(1_000_000)
    786432
    """
    return size - size % BLOCK


def progress(context: Context, session: Session) -> Reply:
    """Answer how far a session is: 308 with the range that is persisted, or without when nothing is."""
    reply = upload_reply(session, 308)
    if session.persisted == 0:
        return reply
    prefix = "bytes=" if context.settings.youtube.range_header == "bytes" else ""
    return reply.with_header("range", f"{prefix}0-{session.persisted - 1}")


def replay(session: Session) -> Reply:
    """Answer a finished session: the same as the first time."""
    assert session.final_status is not None
    reply = upload_reply(session, session.final_status, (session.final_body or "").encode())
    return reply.with_header("content-type", "application/json; charset=UTF-8")


def upload_reply(session: Session, status: int, body: bytes = b"") -> Reply:
    """Answer as the upload server does."""
    headers = (
        ("x-guploader-uploadid", session.upload_id),
        ("server", "UploadServer"),
        ("cache-control", "no-cache, no-store, max-age=0, must-revalidate"),
    )
    return Reply(status, body, headers, code="ok" if status < 300 else str(status))


def _keep(context: Context, piece_id: int, path: Path, kept: int, start: int) -> None:
    mine = pieces.c.id == piece_id
    if kept:
        context.connection.execute(update(pieces).where(mine).values(start=start, size=kept, arriving=False))
    else:
        context.connection.execute(delete(pieces).where(mine))
        path.unlink(missing_ok=True)


def _session(row: Row[Any]) -> Session:
    return Session(**row._asdict())
