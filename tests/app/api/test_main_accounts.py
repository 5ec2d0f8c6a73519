"""Where nobody names an account, the platform's oldest main account is meant: it, or nobody."""

from pathlib import Path
from typing import Any

import pytest

from app.api.calling import Api, new_account
from clipcast.accounts import store
from clipcast.accounts.provider import AccountInactive
from clipcast.posts import compose
from clipcast.posts.schemas import PostIn
from clipcast.publications.publishing import PublishRequest, target_of
from clipcast.system import Clipcast


@pytest.fixture
def idle_clip_id(idle_api: Api, video: Path) -> str:
    return idle_api.upload(video)


def put(clipcast: Clipcast, account_id: str, status: str) -> None:
    with clipcast.db.writing() as session:
        store.get_for_update(session, account_id).status = status


def asked(api: Api, clip_id: str, path: str) -> Any:
    """Publish to the platform alone."""
    body: dict[str, Any] = {"clip_id": clip_id, "platform": "tiktok", "wait_s": 0}
    if path == "/posts":
        body = {"clip_ids": [clip_id], "targets": [{"platform": "tiktok"}]}
    return api("POST", path, body)


@pytest.mark.parametrize("path", ["/posts", "/publishing/publish"])
@pytest.mark.parametrize("status", ["expired", "revoked", "disabled"])
def test_no_other_account_takes_the_place_of_the_main_one(
    idle_api: Api, clipcast: Clipcast, idle_clip_id: str, status: str, path: str
) -> None:
    """The next one may be somebody else's, and the simulator is not what was meant."""
    first = new_account(idle_api, "bob")
    new_account(idle_api, "carl")
    put(clipcast, first, status)

    refused = asked(idle_api, idle_clip_id, path)

    assert (refused.status, refused.code) == (400, "account_inactive")
    assert all(part in refused.json["detail"] for part in ("@bob", f"is {status}"))
    assert idle_api("GET", f"/publishing/logs/{idle_clip_id}").json == []


def test_the_only_main_account_is_not_replaced_by_the_simulator(idle_api: Api, clipcast: Clipcast, idle_clip_id: str) -> None:
    put(clipcast, new_account(idle_api, "bob"), "expired")
    assert asked(idle_api, idle_clip_id, "/publishing/publish").code == "account_inactive"


def test_the_oldest_main_account_is_meant_and_the_next_when_it_is_deleted(idle_api: Api, clipcast: Clipcast, idle_clip_id: str) -> None:
    first, second = new_account(idle_api, "zoe"), new_account(idle_api, "adam")
    request = PublishRequest(clip_id=idle_clip_id, platform="tiktok")

    def meant() -> str | None:
        with clipcast.db.reading() as session:
            found = target_of(session, request, clipcast.platforms).account
        return found.id if found else None

    assert meant() == first
    idle_api("DELETE", f"/accounts/{first}")
    assert meant() == second
    idle_api("DELETE", f"/accounts/{second}")
    assert meant() is None, "the simulator, where the platform has no account at all"


def test_a_satellite_is_meant_by_its_name_alone(idle_api: Api, idle_clip_id: str) -> None:
    assert idle_api("POST", "/accounts", {"platform": "tiktok", "username": "fan", "kind": "satellite"}).status == 201
    refused = asked(idle_api, idle_clip_id, "/publishing/publish")
    assert (refused.status, "such as @fan" in refused.json["detail"]) == (400, True)


def test_a_named_account_that_is_inactive_is_refused_by_the_same_code(idle_api: Api, clipcast: Clipcast, idle_clip_id: str) -> None:
    account_id = new_account(idle_api, "bob")
    put(clipcast, account_id, "disabled")
    body = {"clip_id": idle_clip_id, "platform": "tiktok", "social_account_id": account_id}
    refused = idle_api("POST", "/publishing/publish", body)
    assert (refused.status, refused.code) == (400, "account_inactive")
    assert "The account @bob is disabled. Set its status to active" in refused.json["detail"]


def test_satellites_do_not_go_where_their_main_account_cannot(idle_api: Api, clipcast: Clipcast, idle_clip_id: str) -> None:
    main = new_account(idle_api, "bob")
    satellite = {"platform": "tiktok", "username": "fan", "kind": "satellite", "main_account_id": main}
    assert idle_api("POST", "/accounts", satellite).status == 201
    put(clipcast, main, "revoked")
    wanted = PostIn.model_validate({"clip_ids": [idle_clip_id], "targets": [{"platform": "tiktok", "with_satellites": True}]})
    with clipcast.db.reading() as session, pytest.raises(AccountInactive, match="@bob is revoked"):
        compose.checked(session, wanted, clipcast.platforms, clipcast.clock())
