"""Accounts on all three platforms, their token endpoints, and what looks after them."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from clipcast import ledger
from clipcast.accounts import history, store
from clipcast.accounts.credentials import get_account_credentials, set_account_credentials
from clipcast.accounts.models import SocialAccount
from clipcast.accounts.outcomes import Report
from clipcast.accounts.upkeep import Upkeep
from clipcast.accounts.vault import Vault
from clipcast.db.engine import Database
from clipcast.platforms.base import Answer, Credentials, Form, Request
from clipcast.platforms.registry import live_platforms
from clipcast.platforms.wire import unfenced
from clipcast.settings import load_settings
from conftest import MovableClock

VAULT = Vault([b"k" * 32])
APPS = {
    "tiktok_client_key": "ck",
    "tiktok_client_secret": "cs",
    "youtube_client_id": "ci",
    "youtube_client_secret": "cs",
}
SETTINGS = load_settings(data_dir=Path("unused"), **APPS)
PLATFORMS = live_platforms(SETTINGS)
TIKTOK, INSTAGRAM, YOUTUBE = (PLATFORMS[name] for name in ("tiktok", "instagram", "youtube"))
PUBLISHING_SCOPES = "user.info.basic,video.publish"
ALL_YOUTUBE = "https://www.googleapis.com/auth/youtube"


@dataclass
class TokenEndpoints:
    """The three platforms' token endpoints. `trouble` answers instead, or raises, for a platform that it names."""

    traded: list[str] = field(default_factory=list)
    trouble: dict[str, Callable[[], Answer]] = field(default_factory=dict)
    scope: str = PUBLISHING_SCOPES
    most_at_once: int = 0
    _now: int = 0
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def send(self, request: Request, *, check: Callable[[], None] = unfenced) -> Answer:
        check()
        assert isinstance(request.url, str)
        platform = next(name for name in ("tiktok", "instagram", "google") if name in request.url).replace("google", "youtube")
        with self._turn:
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
            number = len(self.traded)
            self.traded.append(_traded(request))
        try:
            return self.trouble[platform]() if platform in self.trouble else self._fresh(platform, number)
        finally:
            with self._turn:
                self._now -= 1

    def _fresh(self, platform: str, number: int) -> Answer:
        match platform:
            case "tiktok":
                ends: dict[str, Any] = {"expires_in": 86400, "refresh_expires_in": 31536000, "scope": self.scope}
                return answer(access_token=f"act.new{number}", refresh_token=f"rft.new{number}", **ends)
            case "youtube":
                return answer(access_token=f"ya29.new{number}", expires_in=3599, token_type="Bearer", scope=ALL_YOUTUBE)
            case _:
                return answer(access_token=f"IGnew{number}", expires_in=5183944, token_type="bearer")


def _traded(request: Request) -> str:
    assert isinstance(request.url, str)
    if isinstance(request.body, Form):
        return str(request.body.fields["refresh_token"])
    return parse_qs(urlsplit(request.url).query)["access_token"][0]


def answer(status: int = 200, **body: Any) -> Answer:
    return Answer(status, {"content-type": "application/json"}, json.dumps(body).encode())


@dataclass
class House:
    """Accounts, and what looks after them."""

    db: Database
    clock: MovableClock
    endpoints: TokenEndpoints
    upkeep: Upkeep
    heard: list[tuple[str, str]]

    def add(self, name: str, platform: str = "tiktok", *, ends_in: timedelta | None, status: str = "active", **more: Any) -> str:
        """An account; gives its id, which is its name."""
        now = self.clock()
        row = SocialAccount(id=name, platform=platform, username=name, status="active", created_at=now, updated_at=now)
        with self.db.writing() as session:
            store.add(session, row)
        values = {"access_token": f"act.{name}", "refresh_token": f"rft.{name}", **more.pop("values", {})}
        if platform == "instagram":
            values |= {"instagram_account_id": f"17841.{name}"}
        values = {key: value for key, value in values.items() if value}
        ends_at = now + ends_in if ends_in is not None else None
        set_account_credentials(self.db, name, Credentials(values, expires_at=ends_at, **more), VAULT, now)
        self.change(name, status=status)
        return name

    def change(self, account_id: str, **values: Any) -> None:
        with self.db.writing() as session:
            row = store.get_for_update(session, account_id)
            for column, value in values.items():
                setattr(row, column, value)

    def row(self, account_id: str) -> SocialAccount:
        with self.db.reading() as session:
            return store.get(session, account_id)

    def token(self, account_id: str) -> str:
        return get_account_credentials(self.db, account_id, VAULT).get("access_token")

    def events(self, account_id: str) -> list[str]:
        with self.db.reading() as session:
            found = ledger.events(session, stream=history.stream_of(account_id))
        return [event.event for event in reversed(found)]

    def results(self, *, dry_run: bool = False) -> dict[str, str]:
        return by_name(self.upkeep.refresh_expiring(dry_run=dry_run))


def by_name(report: Report) -> dict[str, str]:
    return {outcome.username: outcome.result for outcome in report.outcomes}
