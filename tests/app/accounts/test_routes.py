"""Accounts over HTTP: what goes in as a secret never comes out, whatever the answer."""

import asyncio
import json
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.responses import JSONResponse

from clipcast.accounts.credentials import get_account_credentials
from clipcast.accounts.routes import router
from clipcast.accounts.vault import Vault
from clipcast.clock import Clock
from clipcast.db.engine import Database
from clipcast.errors import ClipcastError
from clipcast.platforms.tiktok import TikTok
from clipcast.settings import load_settings
from keys import new_key

VAULT = Vault([b"k" * 32])
SECRET = "act.s3cr3t-marker"
FULL = {"client_key": "ck", "client_secret": "s3cr3t-marker-too", "access_token": SECRET, "refresh_token": "rft.s3cr3t-marker"}
MAKER = {"platform": "tiktok", "username": "maker"}


class Caller:
    """Calls the routes the way a server does, and keeps everything that came back."""

    def __init__(self, app: FastAPI, key: str) -> None:
        self._app, self._key = app, key
        self.heard = ""

    def __call__(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        status, answer = asyncio.run(self._request(method, path, body if isinstance(body, bytes) else json.dumps(body).encode()))
        self.heard += answer
        return status, json.loads(answer)

    async def _request(self, method: str, path: str, body: bytes) -> tuple[int, str]:
        path, _, query = path.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": [(b"content-type", b"application/json"), (b"authorization", f"Bearer {self._key}".encode())],
        }
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:]).decode()


@pytest.fixture
def call(db: Database, clock: Clock) -> Caller:
    app = FastAPI()
    app.include_router(router)
    settings = load_settings(data_dir=Path("unused"))
    app.state.clipcast = SimpleNamespace(db=db, vault=VAULT, settings=settings, clock=clock, platforms={"tiktok": TikTok()})

    @app.exception_handler(ClipcastError)
    def told(_: object, error: ClipcastError) -> JSONResponse:
        return JSONResponse({"code": error.code, "detail": str(error)}, 404 if error.code == "not_found" else 409)

    return Caller(app, new_key(db))


def test_an_account_is_added_shown_and_listed_without_its_secrets(call: Caller, db: Database) -> None:
    status, account = call("POST", "/accounts", {**MAKER, "credentials": {**FULL, "expires_at": "2026-03-02T12:00:00Z"}})
    assert status == 201
    assert account["platform"] == "tiktok"
    assert (account["username"], account["kind"], account["status"]) == ("maker", "main", "active")
    assert (account["live"], account["fallback_reason"], account["missing_credentials"]) == (True, None, [])
    assert account["expires_at"] == "2026-03-02T12:00:00Z"
    assert call("GET", f"/accounts/{account['id']}") == (200, account)
    assert call("GET", "/accounts") == (200, [account])
    assert "s3cr3t" not in call.heard
    assert get_account_credentials(db, account["id"], VAULT).values == FULL


def test_an_account_without_credentials_says_what_it_lacks(call: Caller) -> None:
    _, account = call("POST", "/accounts", {**MAKER, "kind": "satellite"})
    assert (account["live"], account["fallback_reason"]) == (False, "no_credentials")
    assert account["missing_credentials"] == ["client_key", "client_secret", "access_token"]
    _, account = call("PATCH", f"/accounts/{account['id']}", {"credentials": {"access_token": SECRET}})
    assert (account["fallback_reason"], account["missing_credentials"]) == ("incomplete_config", ["client_key", "client_secret"])


def test_the_same_account_again_is_a_conflict_and_changes_nothing(call: Caller, db: Database) -> None:
    _, first = call("POST", "/accounts", {**MAKER, "credentials": FULL})
    status, problem = call(
        "POST", "/accounts", {**MAKER, "username": "@maker", "kind": "satellite", "credentials": {"access_token": "act.other"}}
    )
    assert (status, problem["code"]) == (409, "conflict")
    assert call("GET", "/accounts") == (200, [first])
    assert get_account_credentials(db, first["id"], VAULT).values == FULL
    assert call("POST", "/accounts", {**MAKER, "platform": "youtube"})[0] == 201


def test_credentials_are_merged_and_removed_by_null(call: Caller, db: Database) -> None:
    """Connecting again must not lose a refresh token that was not sent again."""
    _, account = call("POST", "/accounts", {**MAKER, "credentials": {**FULL, "expires_at": "2026-03-02T12:00:00Z"}})
    change = {"access_token": "act.2", "client_secret": None, "open_id": "-000"}
    _, changed = call("PATCH", f"/accounts/{account['id']}", {"credentials": change})
    kept = {"client_key": "ck", "refresh_token": FULL["refresh_token"], "access_token": "act.2", "open_id": "-000"}
    assert get_account_credentials(db, account["id"], VAULT).values == kept
    assert changed["expires_at"] is None  # it was the old token's
    assert changed["missing_credentials"] == ["client_secret"]


def test_an_account_is_switched_off_and_on(call: Caller) -> None:
    _, account = call("POST", "/accounts", MAKER)
    path = f"/accounts/{account['id']}"
    assert call("PATCH", path, {"status": "disabled"})[1]["status"] == "disabled"
    assert call("PATCH", path, {"credentials": {"access_token": SECRET}})[1]["status"] == "disabled"
    assert call("PATCH", path, {"kind": "satellite"})[1]["kind"] == "satellite"
    assert call("GET", "/accounts?status=active") == (200, [])
    assert call("PATCH", path, {"status": "active"})[1]["status"] == "active"
    assert len(call("GET", "/accounts?platform=tiktok&status=active")[1]) == 1


def test_nobody_follows_who_is_not_there_or_themselves(call: Caller) -> None:
    _, account = call("POST", "/accounts", MAKER)
    wanted = {"kind": "satellite", "main_account_id": "nobody"}
    assert call("PATCH", f"/accounts/{account['id']}", wanted)[0] == 404
    assert call("POST", "/accounts", {**MAKER, "username": "fan", **wanted})[0] == 404
    assert call("PATCH", f"/accounts/{account['id']}", {**wanted, "main_account_id": account["id"]})[0] == 409
    assert call("GET", "/accounts") == (200, [account])


def test_credentials_that_cannot_be_read_any_more_can_be_replaced(call: Caller, db: Database) -> None:
    _, account = call("POST", "/accounts", {**MAKER, "credentials": FULL})
    with db.writing() as session:
        session.connection().exec_driver_sql("UPDATE social_accounts SET credentials = NULL")
        session.connection().exec_driver_sql(
            "UPDATE social_accounts SET credentials = CAST('x' AS " + ("BLOB)" if db.is_sqlite else "bytea)")
        )
    path = f"/accounts/{account['id']}"
    assert call("GET", path)[1]["fallback_reason"] == "credential_error"
    assert call("PATCH", path, {"credentials": FULL})[1]["live"] is True


def test_an_unknown_account_is_not_found(call: Caller) -> None:
    assert call("GET", "/accounts/nobody")[0] == 404
    assert call("PATCH", "/accounts/nobody", {"kind": "main"})[0] == 404


@pytest.mark.parametrize(
    "body",
    [
        {**MAKER, "platform": SECRET},
        {**MAKER, "kind": SECRET},
        {**MAKER, "username": f"{SECRET} with spaces"},
        {**MAKER, "token": SECRET},
        {**MAKER, "credentials": SECRET},
        {**MAKER, "credentials": [SECRET]},
        {**MAKER, "credentials": {"access_token": {"value": SECRET}}},
        {**MAKER, "credentials": {"access_token": [SECRET]}},
        {**MAKER, "credentials": {"access_token": SECRET * 1000}},
        {**MAKER, "credentials": {SECRET: "as a name"}},
        {**MAKER, "credentials": {"expires_at": SECRET}},
        {"credentials": FULL},
        json.dumps({**MAKER, "credentials": FULL}).encode()[:-1],
        f'"{SECRET}"'.encode(),
    ],
)
def test_malformed_requests_are_refused_without_repeating_a_secret(call: Caller, caplog: pytest.LogCaptureFixture, body: object) -> None:
    caplog.set_level(logging.DEBUG)
    status, _ = call("POST", "/accounts", body)
    assert status == 422
    assert "s3cr3t" not in call.heard
    assert "s3cr3t" not in caplog.text
    assert call("GET", "/accounts") == (200, [])


def test_numbers_are_taken_as_credentials_too(call: Caller, db: Database) -> None:
    """Instagram's account id looks like a number and is pasted as one."""
    status, account = call(
        "POST", "/accounts", {"platform": "instagram", "username": "maker", "credentials": {"instagram_account_id": 17841400000000000}}
    )
    assert status == 201
    assert account["fallback_reason"] == "unsupported_platform"
    assert get_account_credentials(db, account["id"], VAULT).get("instagram_account_id") == "17841400000000000"
