"""A platform's own token answer, pasted in as it is: what it says of its tokens is understood, and what nobody knows is asked about."""

from datetime import datetime, timedelta
from typing import Any

import pytest

import clipcast as product
from app.api.calling import Api
from clipcast.accounts.credentials import get_account_credentials
from clipcast.errors import InvalidRequest
from clipcast.system import Clipcast

TIKTOK: dict[str, Any] = {
    "access_token": "act.1",
    "expires_in": 86400,
    "open_id": "-000",
    "refresh_token": "rft.1",
    "refresh_expires_in": 31536000,
    "scope": "user.info.basic,video.publish",
    "token_type": "Bearer",
}
GOOGLE: dict[str, Any] = {
    "access_token": "ya29.1",
    "expires_in": 3599,
    "refresh_token": "1//0",
    "refresh_token_expires_in": 604799,
    "scope": "https://www.googleapis.com/auth/youtube",
    "token_type": "Bearer",
    "id_token": "eyJ.1",
}
INSTAGRAM: dict[str, Any] = {"access_token": "IGAA1", "token_type": "bearer", "expires_in": 5183944}
ANSWERS = [("tiktok", TIKTOK, [86400, 31536000]), ("youtube", GOOGLE, [3599, 604799]), ("instagram", INSTAGRAM, [5183944, None])]


def posted(api: Api, credentials: dict[str, Any], platform: str = "tiktok") -> Any:
    return api("POST", "/accounts", {"platform": platform, "username": "maker", "credentials": credentials})


def lives(account: Any, now: datetime) -> list[int | None]:
    """How many seconds both tokens have from now."""
    ends = [account["expires_at"], account["refresh_expires_at"]]
    return [round((datetime.fromisoformat(end) - now).total_seconds()) if end else None for end in ends]


@pytest.mark.parametrize(("platform", "answer", "told"), ANSWERS)
def test_lives_are_counted_from_now(api: Api, clipcast: Clipcast, platform: str, answer: dict[str, Any], told: list[int | None]) -> None:
    added = posted(api, answer, platform)
    assert added.status == 201
    assert lives(added.json, clipcast.clock()) == told
    stored = get_account_credentials(clipcast.db, added.json["id"], clipcast.vault)
    assert stored.values == {name: value for name, value in answer.items() if "expires" not in name}


def test_new_tokens_bring_their_own_lives(api: Api, clipcast: Clipcast) -> None:
    added = posted(api, TIKTOK).json
    change = {"access_token": "act.2", "refresh_token": "rft.2", "expires_in": "7200"}
    changed = api("PATCH", f"/accounts/{added['id']}", {"credentials": change}).json
    assert lives(changed, clipcast.clock()) == [7200, None]


def test_a_moment_counts_before_a_life(api: Api) -> None:
    assert posted(api, TIKTOK | {"expires_at": "2026-05-01T09:00:00Z"}).json["expires_at"] == "2026-05-01T09:00:00Z"


@pytest.mark.parametrize("life", [0, -1, 1e9, "soon", [86400]])
def test_no_token_lives_so_long(api: Api, life: object) -> None:
    assert posted(api, TIKTOK | {"expires_in": life}).status == 422
    assert api("GET", "/accounts").json == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("acces_token", "tiktok knows no credential 'acces_token'. Perhaps access_token is meant."),
        ("sparkle", "tiktok knows no credential 'sparkle'. There are client_key, client_secret, access_token,"),
        ("a1b2c3secret", "tiktok knows no credential of one of these names."),
    ],
)
def test_an_unknown_name_is_asked_about(api: Api, name: str, said: str) -> None:
    refused = posted(api, {name: "act.s3cr3t"})
    assert (refused.status, refused.code) == (400, "invalid_request")
    assert refused.json["detail"].startswith(said)
    assert not {"s3cr3t", "a1b2c3"} & set(refused.json["detail"].split("'"))
    added = posted(api, TIKTOK).json
    assert api("PATCH", f"/accounts/{added['id']}", {"credentials": {name: "x"}}).status == 400
    assert api("GET", f"/accounts/{added['id']}").json == added


def test_a_name_that_was_stored_before_can_be_taken_out(api: Api, clipcast: Clipcast) -> None:
    added = posted(api, TIKTOK).json
    stored = get_account_credentials(clipcast.db, added["id"], clipcast.vault)
    product.set_account_credentials(clipcast, added["id"], stored.having(acces_token="act.0"))
    assert api("PATCH", f"/accounts/{added['id']}", {"credentials": {"acces_token": None}}).status == 200
    assert "acces_token" not in get_account_credentials(clipcast.db, added["id"], clipcast.vault).values


def test_from_python_the_same_holds(api: Api, clipcast: Clipcast) -> None:
    added = posted(api, {}).json
    product.set_account_credentials(clipcast, added["id"], TIKTOK)
    kept = product.get_account_credentials(clipcast, added["id"])
    assert kept.expires_at == clipcast.clock() + timedelta(days=1)
    with pytest.raises(InvalidRequest, match="Perhaps refresh_token"):
        product.set_account_credentials(clipcast, added["id"], {"refrsh_token": "x"})
