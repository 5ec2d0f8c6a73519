"""What changes about an account that is given other credentials: with new tokens it begins anew, with the old ones nothing is over."""

from typing import Any

import pytest

from app.api.calling import Api
from clipcast.accounts import store
from clipcast.accounts.credentials import set_account_credentials
from clipcast.errors import InvalidRequest
from clipcast.platforms.base import Credentials
from clipcast.system import Clipcast
from conftest import MovableClock

MAKER = {"platform": "tiktok", "username": "maker"}
OLD = "act.old"


def expire(clipcast: Clipcast, account_id: str) -> None:
    with clipcast.db.writing() as session:
        row = store.get_for_update(session, account_id)
        row.status, row.last_error = "expired", "The platform refused."


@pytest.mark.parametrize(
    "change", [{}, {"scope": "video.publish"}, {"expires_at": "2026-03-02T12:00:00Z"}, {"access_token": OLD}, {"refresh_token": None}]
)
def test_an_expired_account_stays_expired_without_a_new_token(
    api: Api, clipcast: Clipcast, clock: MovableClock, change: dict[str, Any]
) -> None:
    """Its old token is as dead as before, and why is not forgotten; nobody has connected it."""
    account = api("POST", "/accounts", {**MAKER, "credentials": {"access_token": OLD}}).json
    expire(clipcast, account["id"])
    clock.advance(60)
    changed = api("PATCH", f"/accounts/{account['id']}", {"credentials": change}).json
    assert (changed["status"], changed["last_error"]) == ("expired", "The platform refused.")
    assert changed["connected_at"] == account["connected_at"]


@pytest.mark.parametrize("change", [{"access_token": "act.2"}, {"refresh_token": "rft.2"}])
def test_a_new_token_makes_an_expired_account_active(api: Api, clipcast: Clipcast, clock: MovableClock, change: dict[str, Any]) -> None:
    account = api("POST", "/accounts", {**MAKER, "credentials": {"access_token": OLD}}).json
    expire(clipcast, account["id"])
    clock.advance(60)
    changed = api("PATCH", f"/accounts/{account['id']}", {"credentials": change}).json
    assert (changed["status"], changed["last_error"]) == ("active", None)
    assert changed["connected_at"] > account["connected_at"]


@pytest.mark.parametrize("change", [{"access_token": None}, {"open_id": "-000"}])
def test_a_disconnected_account_is_not_connected_without_a_token(api: Api, clipcast: Clipcast, change: dict[str, Any]) -> None:
    account = api("POST", "/accounts", MAKER).json
    with clipcast.db.writing() as session:
        store.get_for_update(session, account["id"]).status = "revoked"
    changed = api("PATCH", f"/accounts/{account['id']}", {"credentials": change}).json
    assert (changed["status"], changed["connected_at"]) == ("revoked", None)


@pytest.mark.parametrize("name", ["expires_at", "refresh_expires_at"])
@pytest.mark.parametrize("seconds", [86400, 5184000, 3599.5, "86400", " 86400 ", "1e5", 0, -1, 1772366400, True])
def test_how_long_a_token_lives_is_not_taken_for_when_it_ends(api: Api, name: str, seconds: object) -> None:
    """What the platforms answer as `expires_in` would be a moment in 1970, and the living token counted as over."""
    refused = api("POST", "/accounts", {**MAKER, "credentials": {"access_token": OLD, name: seconds}})
    assert refused.status == 422
    assert "give a time such as 2026-05-01T09:00:00Z" in refused.body.decode() or seconds is True
    assert api("GET", "/accounts").json == []


@pytest.mark.parametrize("moment", ["2026-05-01T09:00:00Z", "2026-05-01T11:00:00+02:00", "2026-05-01 09:00"])
def test_when_a_token_ends_is_a_time(api: Api, moment: str) -> None:
    account = api("POST", "/accounts", {**MAKER, "credentials": {"access_token": OLD, "expires_at": moment}}).json
    assert account["expires_at"] == "2026-05-01T09:00:00Z"


@pytest.mark.parametrize(("platform", "name"), [("tiktok", "open_id"), ("youtube", "channel_id"), ("instagram", "instagram_account_id")])
def test_a_token_in_the_place_of_an_id_is_refused(api: Api, clipcast: Clipcast, clock: MovableClock, platform: str, name: str) -> None:
    """No database would keep it as who the account is; and it is repeated nowhere."""
    pasted = "act.pasted" + "x" * 200
    account = api("POST", "/accounts", MAKER | {"platform": platform}).json

    added = api("POST", "/accounts", {"platform": platform, "username": "other", "credentials": {name: pasted}})
    changed = api("PATCH", f"/accounts/{account['id']}", {"credentials": {name: pasted}})

    assert (added.status, changed.status) == (422, 422)
    assert f"{name} is longer than 200 characters" in added.json["detail"]
    assert "pasted" not in api.heard
    for unusable in (pasted, "pasted\x00", "pasted\ud800"):
        with pytest.raises(InvalidRequest, match=name) as refused:
            set_account_credentials(clipcast.db, account["id"], Credentials({name: unusable}), clipcast.vault, clock())
        assert "pasted" not in str(refused.value)
    assert api("PATCH", f"/accounts/{account['id']}", {"credentials": {name: "x" * 200}}).json["external_id"] == "x" * 200
