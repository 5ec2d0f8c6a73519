"""Who follows whom is ended by hand, too."""

import pytest

from app.api.calling import Api, new_account


def following(api: Api, main: str) -> str:
    satellite = {"platform": "tiktok", "username": "follower", "kind": "satellite", "main_account_id": main}
    return str(api("POST", "/accounts", satellite).json["id"])


@pytest.mark.parametrize("change", [{"main_account_id": None}, {"kind": "main"}, {"kind": "main", "main_account_id": None}])
def test_a_satellite_is_released(idle_api: Api, change: dict[str, object]) -> None:
    satellite = following(idle_api, new_account(idle_api, "leader"))
    changed = idle_api("PATCH", f"/accounts/{satellite}", change)

    assert changed.status == 200
    assert (changed.json["kind"], changed.json["main_account_id"]) == (change.get("kind", "satellite"), None)


def test_what_is_not_named_stays(idle_api: Api) -> None:
    main = new_account(idle_api, "leader")
    satellite = following(idle_api, main)

    assert idle_api("PATCH", f"/accounts/{satellite}", {"status": "disabled"}).json["main_account_id"] == main


def test_a_leader_becomes_no_satellite(idle_api: Api) -> None:
    """Whoever follows it would follow a follower; once nobody does, it may."""
    main = new_account(idle_api, "leader")
    satellite = following(idle_api, main)

    refused = idle_api("PATCH", f"/accounts/{main}", {"kind": "satellite"})
    idle_api("PATCH", f"/accounts/{satellite}", {"main_account_id": None})

    assert refused.status == 400
    assert "@leader has satellites" in refused.json["detail"]
    assert idle_api("PATCH", f"/accounts/{main}", {"kind": "satellite"}).json["kind"] == "satellite"
