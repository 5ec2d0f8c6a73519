"""Grants and tokens: who let which app do what, and until when."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from clipcast_simulator.youtube import ids
from clipcast_simulator.youtube.tables import access_tokens, apps, grants, refresh_tokens
from clipcast_simulator.youtube.world import ordered

ACCESS_LIFE_S: Final = 3599
TESTING_LIFE_S: Final = 604_799  #: of a refresh token while the consent screen's status is Testing
_UNUSED_LIFE_S: Final = 15_768_000.0  #: a refresh token that nobody uses for 6 months
_MOST_REFRESH_TOKENS: Final = 100  #: live ones per account and client; the oldest is dropped silently


@dataclass(frozen=True, slots=True)
class Token:
    """An access or refresh token."""

    id: int
    token: str
    client_id: str
    username: str
    scopes: frozenset[str]
    expires_at: float
    revoked: bool
    ends_at: float | None = None  #: a refresh token's end, whether it is used or not

    def lives(self, now: float) -> bool:
        """Say whether it still works."""
        return not self.revoked and now < self.expires_at and (self.ends_at is None or now < self.ends_at)


def find_access(connection: Connection, token: str) -> Token | None:
    """Find an access token, dead or alive."""
    return _token(connection.execute(select(access_tokens).where(access_tokens.c.token == token)).first())


def find_refresh(connection: Connection, token: str) -> Token | None:
    """Find a refresh token, dead or alive."""
    return _token(connection.execute(select(refresh_tokens).where(refresh_tokens.c.token == token)).first())


def grant(connection: Connection, client_id: str, username: str, scopes: Iterable[str]) -> None:
    """Record a user's consent."""
    row = upsert(grants).values(client_id=client_id, username=username, scopes=list(ordered(scopes)))
    keys = [grants.c.client_id, grants.c.username]
    connection.execute(row.on_conflict_do_update(index_elements=keys, set_={"scopes": row.excluded.scopes}))


def granted(connection: Connection, client_id: str, username: str) -> tuple[str, ...] | None:
    """Return what a user has granted an app; None when they never did, or took it back."""
    query = select(grants.c.scopes).where(grants.c.client_id == client_id, grants.c.username == username)
    scopes = connection.execute(query).scalar()
    return None if scopes is None else tuple(scopes)


def issue_access(connection: Connection, client_id: str, username: str, scopes: Iterable[str], now: float) -> Token:
    """Make an access token."""
    token = ids.access_token()
    values = {"token": token, "client_id": client_id, "username": username, "scopes": list(ordered(scopes))}
    connection.execute(insert(access_tokens).values(**values, expires_at=now + ACCESS_LIFE_S))
    found = find_access(connection, token)
    assert found is not None
    return found


def issue_refresh(connection: Connection, client_id: str, username: str, scopes: Iterable[str], now: float, *, testing: bool) -> Token:
    """Make a refresh token; the oldest of more than a hundred dies."""
    token = ids.refresh_token()
    values = {"token": token, "client_id": client_id, "username": username, "scopes": list(ordered(scopes))}
    ends_at = now + TESTING_LIFE_S if testing else None
    connection.execute(insert(refresh_tokens).values(**values, expires_at=now + _UNUSED_LIFE_S, ends_at=ends_at))
    mine = (refresh_tokens.c.client_id == client_id, refresh_tokens.c.username == username, refresh_tokens.c.revoked.is_(False))
    too_many = select(refresh_tokens.c.id).where(*mine).order_by(refresh_tokens.c.id.desc()).offset(_MOST_REFRESH_TOKENS)
    connection.execute(update(refresh_tokens).where(refresh_tokens.c.id.in_(too_many)).values(revoked=True))
    found = find_refresh(connection, token)
    assert found is not None
    return found


def use_refresh(connection: Connection, token: Token, now: float) -> None:
    """Note that a refresh token was used, which keeps it alive."""
    mine = refresh_tokens.c.id == token.id
    connection.execute(update(refresh_tokens).where(mine).values(expires_at=now + _UNUSED_LIFE_S))


def current(connection: Connection, client_id: str, username: str, now: float) -> tuple[Token, Token] | None:
    """Return the newest access and refresh token that both still work, with the same scopes."""
    access, refresh = (
        _token(
            connection.execute(
                select(table)
                .where(table.c.client_id == client_id, table.c.username == username)
                .where(table.c.revoked.is_(False), table.c.expires_at > now)
                .order_by(table.c.id.desc())
                .limit(1)
            ).first()
        )
        for table in (access_tokens, refresh_tokens)
    )
    if access is None or refresh is None or access.scopes != refresh.scopes or not refresh.lives(now):
        return None
    return access, refresh


def expire_access(connection: Connection, username: str, now: float) -> None:
    """Let every access token of a user end now; the refresh tokens stay."""
    mine = (access_tokens.c.username == username, access_tokens.c.expires_at > now)
    connection.execute(update(access_tokens).where(*mine).values(expires_at=now))


def revoke_project(connection: Connection, client_id: str, username: str) -> None:
    """End a project's access to a user: every scope and token of all its clients."""
    project = select(apps.c.project_number).where(apps.c.client_id == client_id).scalar_subquery()
    clients = select(apps.c.client_id).where(apps.c.project_number == project)
    for table in (access_tokens, refresh_tokens):
        mine = (table.c.client_id.in_(clients), table.c.username == username)
        connection.execute(update(table).where(*mine).values(revoked=True))
    connection.execute(grants.delete().where(grants.c.client_id.in_(clients), grants.c.username == username))


def revoke_all(connection: Connection, username: str) -> None:
    """Let a user disconnect every app."""
    for table in (access_tokens, refresh_tokens):
        connection.execute(update(table).where(table.c.username == username).values(revoked=True))
    connection.execute(grants.delete().where(grants.c.username == username))


def _token(row: Row[Any] | None) -> Token | None:
    if row is None:
        return None
    values = row._asdict()
    return Token(**values | {"scopes": frozenset(values["scopes"])})
