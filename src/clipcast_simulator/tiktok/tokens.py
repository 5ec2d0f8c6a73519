"""Grants and tokens: who let which app do what, and until when."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from clipcast_simulator.tiktok import ids, world
from clipcast_simulator.tiktok.tables import access_tokens, grants, refresh_tokens

ACCESS_LIFE_S: Final = 86_400
REFRESH_LIFE_S: Final = 31_536_000
APP_TOKEN_LIFE_S: Final = 7_200


@dataclass(frozen=True, slots=True)
class Token:
    """An access or refresh token. An app's own token (client_credentials) has no username."""

    id: int
    token: str
    client_key: str
    username: str | None
    scopes: frozenset[str]
    expires_at: float
    revoked: bool

    def lives(self, now: float) -> bool:
        """Say whether it still works."""
        return not self.revoked and now < self.expires_at


@dataclass(frozen=True, slots=True)
class Pair:
    """What a token request gives."""

    access: str
    refresh: str
    expires_at: float
    refresh_expires_at: float
    scopes: tuple[str, ...]


def ordered(scopes: Iterable[str]) -> tuple[str, ...]:
    """Return scopes in a fixed order."""
    return tuple(sorted(set(scopes)))


def find_access(connection: Connection, token: str) -> Token | None:
    """Find an access token, dead or alive."""
    return _token(connection.execute(select(access_tokens).where(access_tokens.c.token == token)).first())


def find_refresh(connection: Connection, token: str) -> Token | None:
    """Find a refresh token, dead or alive."""
    return _token(connection.execute(select(refresh_tokens).where(refresh_tokens.c.token == token)).first())


def grant(connection: Connection, client_key: str, username: str, scopes: Iterable[str]) -> str:
    """Record a user's consent and return the open id, which stays the same for an app and a user."""
    row = upsert(grants).values(client_key=client_key, username=username, open_id=ids.open_id(), scopes=list(ordered(scopes)))
    keys = [grants.c.client_key, grants.c.username]
    connection.execute(row.on_conflict_do_update(index_elements=keys, set_={"scopes": row.excluded.scopes}))
    return open_id(connection, client_key, username)


def open_id(connection: Connection, client_key: str, username: str) -> str:
    """Return the open id of a user towards an app."""
    query = select(grants.c.open_id).where(grants.c.client_key == client_key, grants.c.username == username)
    return str(connection.execute(query).scalar_one())


def granted(connection: Connection, client_key: str, username: str) -> tuple[str, ...]:
    """Return what a user last granted an app; everything when they were never asked."""
    query = select(grants.c.scopes).where(grants.c.client_key == client_key, grants.c.username == username)
    scopes = connection.execute(query).scalar()
    return world.SCOPES if scopes is None else tuple(scopes)


def issue(connection: Connection, client_key: str, username: str, scopes: Iterable[str], now: float) -> Pair:
    """Make a new access token and a new refresh token."""
    granted = ordered(scopes)
    access = issue_access(connection, client_key, username, granted, now)
    refresh = issue_refresh(connection, client_key, username, granted, now + REFRESH_LIFE_S)
    return Pair(access, refresh, now + ACCESS_LIFE_S, now + REFRESH_LIFE_S, granted)


def issue_access(connection: Connection, client_key: str, username: str | None, scopes: Iterable[str], now: float) -> str:
    """Make an access token; without a username an app's own."""
    token = ids.token("clt" if username is None else "act")
    life = APP_TOKEN_LIFE_S if username is None else ACCESS_LIFE_S
    values = {"token": token, "client_key": client_key, "username": username, "scopes": list(scopes)}
    connection.execute(insert(access_tokens).values(**values, expires_at=now + life))
    return token


def issue_refresh(connection: Connection, client_key: str, username: str, scopes: Iterable[str], expires_at: float) -> str:
    """Make a refresh token."""
    token = ids.token("rft")
    values = {"token": token, "client_key": client_key, "username": username, "scopes": list(scopes)}
    connection.execute(insert(refresh_tokens).values(**values, expires_at=expires_at))
    return token


def current(connection: Connection, client_key: str, username: str, now: float) -> Pair | None:
    """Return the newest pair of which both still work."""
    access, refresh = (
        _token(
            connection.execute(
                select(table)
                .where(table.c.client_key == client_key, table.c.username == username)
                .where(table.c.revoked.is_(False), table.c.expires_at > now)
                .order_by(table.c.id.desc())
                .limit(1)
            ).first()
        )
        for table in (access_tokens, refresh_tokens)
    )
    if access is None or refresh is None or access.scopes != refresh.scopes:
        return None
    return Pair(access.token, refresh.token, access.expires_at, refresh.expires_at, ordered(access.scopes))


def expire_access(connection: Connection, client_key: str, username: str, now: float) -> None:
    """Let every access token of a user end now; the refresh tokens stay."""
    mine = (access_tokens.c.client_key == client_key, access_tokens.c.username == username)
    connection.execute(update(access_tokens).where(*mine, access_tokens.c.expires_at > now).values(expires_at=now))


def revoke_all(connection: Connection, client_key: str, username: str) -> None:
    """Kill every token of a user towards an app."""
    for table in (access_tokens, refresh_tokens):
        mine = (table.c.client_key == client_key, table.c.username == username)
        connection.execute(update(table).where(*mine).values(revoked=True))


def kill_refresh(connection: Connection, token: str) -> None:
    """Kill one refresh token."""
    connection.execute(update(refresh_tokens).where(refresh_tokens.c.token == token).values(revoked=True))


def extend_refresh(connection: Connection, token: str, expires_at: float) -> None:
    """Move the end of a refresh token that is kept."""
    mine = refresh_tokens.c.token == token
    connection.execute(update(refresh_tokens).where(mine).values(expires_at=expires_at))


def _token(row: Row[Any] | None) -> Token | None:
    if row is None:
        return None
    values = row._asdict()
    return Token(**values | {"scopes": frozenset(values["scopes"])})
