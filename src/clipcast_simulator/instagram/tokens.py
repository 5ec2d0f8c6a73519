"""Access tokens: who let which app do what, until when, and what killed them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, or_, select, update

from clipcast_simulator.instagram import ids
from clipcast_simulator.instagram.tables import tokens
from clipcast_simulator.instagram.world import Account

SHORT_LIFE_S: Final = {"instagram": 3_600.0, "facebook": 7_200.0}  #: one hour; "hours"
LONG_LIFE_S: Final = 5_184_000.0
REFRESH_AGE_S: Final = 86_400.0

REMOVED: Final = 458  #: the subcode of a token whose user removed the app


@dataclass(frozen=True, slots=True)
class Token:
    """An access token. A user token of Facebook Login acts for its holder, every other one for one account.

    `kind` is `short` or `long` (Instagram Login), `user-short` or `user` (Facebook Login) or `page`.
    """

    id: int
    token: str
    kind: str
    app_id: str
    username: str
    holder: str
    scopes: list[str]
    issued_at: float
    expires_at: float | None  #: None: never
    dead: int | None  #: the subcode that says what killed it

    @property
    def login(self) -> str:
        """Which of the two logins it belongs to."""
        return "instagram" if self.kind in ("short", "long") else "facebook"

    @property
    def is_user(self) -> bool:
        """Whether it is a Facebook user's, who may hold several Pages."""
        return self.kind in ("user", "user-short")

    def is_expired(self, now: float) -> bool:
        """Say whether its time is over."""
        return self.expires_at is not None and now >= self.expires_at

    def lives(self, now: float) -> bool:
        """Say whether it still works."""
        return self.dead is None and not self.is_expired(now)

    def reaches(self, account: Account) -> bool:
        """Say whether it may act for an account."""
        if account.login != self.login:
            return False
        return account.holder == self.holder if self.is_user else account.username == self.username


def find(connection: Connection, token: str) -> Token | None:
    """Find a token, dead or alive."""
    return _token(connection.execute(select(tokens).where(tokens.c.token == token)).first())


def issue(
    connection: Connection, kind: str, app_id: str, account: Account, *, scopes: Iterable[str], now: float, life_s: float | None
) -> Token:
    """Make a token that lives so many seconds, or for ever."""
    values = {
        "token": ids.token("instagram" if kind in ("short", "long") else "facebook"),
        "kind": kind,
        "app_id": app_id,
        "username": account.username,
        "holder": account.holder,
        "scopes": sorted(set(scopes)),
        "issued_at": now,
        "expires_at": None if life_s is None else now + life_s,
    }
    connection.execute(insert(tokens).values(**values))
    made = find(connection, str(values["token"]))
    assert made is not None
    return made


def issue_page(connection: Connection, parent: Token, account: Account, now: float) -> Token:
    """Make the Page token of a user token: without end if that is a long-lived one, else as short as it."""
    life_s = None if parent.kind == "user" else (parent.expires_at or now) - now
    return issue(connection, "page", parent.app_id, account, scopes=parent.scopes, now=now, life_s=life_s)


def current(connection: Connection, kind: str, app_id: str, account: Account, now: float) -> Token | None:
    """Return the newest token of a kind that still works for an account."""
    alive = (tokens.c.dead.is_(None), or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > now))
    mine = (tokens.c.kind == kind, tokens.c.app_id == app_id, _reaching(account))
    return _token(connection.execute(select(tokens).where(*mine, *alive).order_by(tokens.c.id.desc())).first())


def kill(connection: Connection, account: Account, subcode: int = REMOVED) -> None:
    """End every token that acts for an account; `subcode` says why. The first reason stays."""
    connection.execute(update(tokens).where(_reaching(account), tokens.c.dead.is_(None)).values(dead=subcode))


def kill_one(connection: Connection, token: Token, subcode: int) -> None:
    """End one token."""
    connection.execute(update(tokens).where(tokens.c.id == token.id).values(dead=subcode))


def expire(connection: Connection, account: Account, now: float) -> None:
    """Let the time of an account's tokens be over."""
    running = or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > now)
    connection.execute(update(tokens).where(_reaching(account), running).values(expires_at=now))


def expire_one(connection: Connection, token: Token, now: float) -> None:
    """Let the time of one token be over."""
    connection.execute(update(tokens).where(tokens.c.id == token.id).values(expires_at=now))


def _reaching(account: Account) -> Any:
    if account.login == "instagram":
        return (tokens.c.username == account.username) & tokens.c.kind.in_(("short", "long"))
    by_page = (tokens.c.kind == "page") & (tokens.c.username == account.username)
    return by_page | (tokens.c.kind.in_(("user", "user-short")) & (tokens.c.holder == account.holder))


def _token(row: Row[Any] | None) -> Token | None:
    return None if row is None else Token(**row._asdict())
