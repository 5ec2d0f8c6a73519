"""What is told of an account that cannot publish: that it cannot, and why; never that all is well."""

from datetime import timedelta
from typing import Any

import pytest

from app.api.calling import Api
from clipcast.accounts import store
from clipcast.system import Clipcast

LIVE = {"client_key": "ck", "client_secret": "cs", "access_token": "act.1", "refresh_token": "rft.1"}


@pytest.fixture
def account(api: Api, clipcast: Clipcast) -> Any:
    """Live, renewable, and with an end a year away."""
    ends = {"expires_at": clipcast.clock() + timedelta(days=1), "refresh_expires_at": clipcast.clock() + timedelta(days=365)}
    told = {name: moment.isoformat() for name, moment in ends.items()}
    added = api("POST", "/accounts", {"platform": "tiktok", "username": "maker", "credentials": LIVE | told}).json
    assert (added["live"], added["renewable"], added["connection_ends_at"]) == (True, True, added["refresh_expires_at"])
    return added


@pytest.mark.parametrize("status", ["expired", "revoked", "disabled"])
def test_an_inactive_account_is_neither_live_nor_renewed(api: Api, clipcast: Clipcast, account: Any, status: str) -> None:
    with clipcast.db.writing() as session:
        store.get_for_update(session, account["id"]).status = status
    shown = api("GET", f"/accounts/{account['id']}").json
    assert (shown["live"], shown["renewable"], shown["connection_ends_at"]) == (False, False, None)
    assert shown["fallback_reason"] is None, "it does not publish to the simulator either"


def test_a_disconnected_account_does_not_publish_to_the_simulator(api: Api, account: Any) -> None:
    api("POST", f"/accounts/{account['id']}/disconnection")
    shown = api("GET", f"/accounts/{account['id']}").json
    assert (shown["status"], shown["live"], shown["fallback_reason"]) == ("revoked", False, None)
    assert "Disconnected" in shown["last_error"]
