"""One account of a platform is one account here: by the platform's own lasting id, and by its name in whatever case."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from app.accounts.wayfarer import Browser
from app.api.calling import Api
from clipcast.accounts import store
from clipcast.accounts.credentials import set_account_credentials
from clipcast.accounts.models import SocialAccount
from clipcast.errors import Conflict, InvalidRequest
from clipcast.platforms.base import Credentials
from clipcast.system import Clipcast

IDENTITIES = [("tiktok", "open_id"), ("instagram", "instagram_account_id"), ("youtube", "channel_id")]


def tokens(number: int, **more: str | None) -> dict[str, str | None]:
    return {"access_token": f"act.{number}", "refresh_token": f"rft.{number}", **more}


def added(api: Api, username: str, credentials: dict[str, Any] | None = None, platform: str = "tiktok") -> Any:
    answer = api("POST", "/accounts", {"platform": platform, "username": username, "credentials": credentials or {}})
    assert answer.status == 201, answer.body
    return answer.json


def refused(api: Api, method: str, path: str, body: dict[str, Any]) -> str:
    answer = api(method, path, body)
    assert (answer.status, answer.code) == (409, "conflict")
    return str(answer.json["detail"])


def stored_twin(clipcast: Clipcast, username: str, external_id: str | None, platform: str = "tiktok") -> str:
    """An account from the time when nobody looked for twins."""
    now = clipcast.clock()
    row = SocialAccount(platform=platform, username=username, external_id=external_id, created_at=now, updated_at=now)
    with clipcast.db.writing() as session:
        store.add(session, row)
    return row.id


@pytest.mark.parametrize(("platform", "name"), IDENTITIES)
def test_one_identity_under_two_names_is_refused(api: Api, platform: str, name: str) -> None:
    first = added(api, "ana", {"access_token": "act.1", name: "-000"}, platform)
    body = {"platform": platform, "username": "somebody.else", "credentials": {"access_token": "act.2", name: "-000"}}
    assert f"@ana on {platform}, which is here already ({first['id']})" in refused(api, "POST", "/accounts", body)
    assert api("GET", "/accounts").json == [first]


def test_one_name_in_two_cases_is_refused(api: Api) -> None:
    first = added(api, "ana")
    sentence = refused(api, "POST", "/accounts", {"platform": "tiktok", "username": "Ana"})
    assert f"@ana on tiktok ({first['id']})" in sentence
    assert added(api, "Ana", platform="youtube")["username"] == "Ana"


def test_an_account_that_was_disconnected_is_still_that_account(api: Api) -> None:
    first = added(api, "ana", tokens(1, open_id="-000"))
    api("POST", f"/accounts/{first['id']}/disconnection")
    assert "@ana" in refused(api, "POST", "/accounts", {"platform": "tiktok", "username": "bob", "credentials": tokens(2, open_id="-000")})


def test_new_credentials_of_a_third_account_are_refused(api: Api) -> None:
    ana, bob = added(api, "ana", tokens(1, open_id="-001")), added(api, "bob", tokens(2, open_id="-002"))
    assert "@bob" in refused(api, "PATCH", f"/accounts/{ana['id']}", {"credentials": tokens(3, open_id="-002")})
    assert api("GET", f"/accounts/{ana['id']}").json == ana
    assert api("PATCH", f"/accounts/{ana['id']}", {"credentials": tokens(3, open_id="-003")}).json["external_id"] == "-003"
    assert api("PATCH", f"/accounts/{bob['id']}", {"credentials": tokens(4)}).json["external_id"] == "-002"


def test_credentials_from_python_are_looked_at_too(api: Api, clipcast: Clipcast) -> None:
    added(api, "ana", tokens(1, open_id="-001"))
    bob = added(api, "bob")
    with pytest.raises(Conflict, match="@ana"):
        set_account_credentials(
            clipcast.db, bob["id"], Credentials({"access_token": "a", "open_id": "-001"}), clipcast.vault, clipcast.clock()
        )


def test_a_deleted_account_is_nobodys_twin_and_comes_back_in_any_case(api: Api) -> None:
    first = added(api, "ana", tokens(1, open_id="-000"))
    assert api("DELETE", f"/accounts/{first['id']}").status == 200
    back = added(api, "Ana", tokens(2, open_id="-000"))
    assert (back["id"], back["username"]) == (first["id"], "Ana")


def test_twins_from_before_keep_their_own_credentials(api: Api, clipcast: Clipcast) -> None:
    """Whoever stays who they are is not asked; whose name is meant, is said exactly."""
    first, second = stored_twin(clipcast, "ana", "-000"), stored_twin(clipcast, "Ana", "-000")
    for number, account_id in enumerate((first, second)):
        assert api("PATCH", f"/accounts/{account_id}", {"credentials": tokens(number, open_id="-000")}).status == 200
    with clipcast.db.reading() as session:
        assert [getattr(store.by_username(session, "tiktok", name), "id", None) for name in ("ana", "Ana", "bob")] == [first, second, None]
        with pytest.raises(InvalidRequest, match="@ana and @Ana"):
            store.by_username(session, "tiktok", "ANA")


def test_one_twin_goes_and_the_access_of_the_other_stays(api: Api, clipcast: Clipcast) -> None:
    """At the platform both are one consent."""
    first, second = stored_twin(clipcast, "ana", "-000"), stored_twin(clipcast, "Ana", "-000")
    for number, account_id in enumerate((first, second)):
        api("PATCH", f"/accounts/{account_id}", {"credentials": tokens(number)})
    gone = api("DELETE", f"/accounts/{second}").json
    assert gone["revoked"] is False
    assert "other accounts here" in gone["note"]
    assert api("GET", f"/accounts/{first}").json["live"] is True


def test_two_requests_at_once_are_one_account(api: Api) -> None:
    def post(username: str) -> int:
        body = {"platform": "tiktok", "username": username, "credentials": tokens(1, open_id="-000")}
        return api("POST", "/accounts", body).status

    names = ["ana", "Ana", "bob", "carl", "dora", "Bob"]
    with ThreadPoolExecutor(len(names)) as threads:
        assert sorted(threads.map(post, names)) == [201] + [409] * (len(names) - 1)
    assert len(api("GET", "/accounts").json) == 1


def test_a_consent_finds_the_account_in_whatever_case_its_name_is(api: Api, browser: Browser) -> None:
    """It was added by hand, without an identity; what the platform calls it is its name from now on."""
    by_hand = added(api, "Maker")
    assert browser.link("tiktok", "maker", account_id=by_hand["id"]).status == 200
    (account,) = api("GET", "/accounts").json
    assert (account["id"], account["username"]) == (by_hand["id"], "maker")


def test_a_consent_after_a_renaming_in_case_alone_renames_the_account(api: Api, clipcast: Clipcast, browser: Browser) -> None:
    browser.link("tiktok", "maker")
    (before,) = api("GET", "/accounts").json
    with clipcast.db.writing() as session:
        store.get_for_update(session, before["id"]).username = "MAKER"
    browser.link("tiktok", "maker")
    (after,) = api("GET", "/accounts").json
    assert (after["id"], after["username"], after["warning"]) == (before["id"], "maker", None)


def test_another_account_of_that_name_in_another_case_gives_it_up(api: Api, browser: Browser) -> None:
    """Whoever had it was renamed at the platform, or the name would not be another one's now."""
    other = added(api, "Maker", tokens(1, open_id="-000"))
    assert browser.link("tiktok", "maker").status == 200
    names = {account["id"]: account["username"] for account in api("GET", "/accounts").json}
    assert names[other["id"]].startswith("Maker#")
    assert sorted(names.values())[1] == "maker"


def test_a_consent_for_twins_leaves_the_other_one_its_name(api: Api, clipcast: Clipcast, browser: Browser) -> None:
    browser.link("tiktok", "maker")
    (first,) = api("GET", "/accounts").json
    twin = stored_twin(clipcast, "Maker", first["external_id"])
    assert browser.link("tiktok", "maker").status == 200
    assert {account["id"]: account["username"] for account in api("GET", "/accounts").json} == {first["id"]: "maker", twin: "Maker"}
