"""API keys over HTTP: shown once, worth what their role and scopes are, and nothing once they are revoked or over."""

from datetime import timedelta
from typing import Any

import pytest

from app.people.browsing import NOT_SAID, Browser, Seen
from clipcast import ledger
from clipcast.log import redact
from clipcast.people.models import ApiKey
from clipcast.people.tokens import digest
from clipcast.system import Clipcast
from conftest import MovableClock


def made(owner: Browser, **wanted: object) -> Any:
    answer = owner("POST", "/apikeys", body={"name": "a program", "role": "editor", **wanted})
    assert answer.status == 201, answer.text
    return answer.json


def asked(owner: Browser, key: str, method: str = "GET", path: str = "/people/me", body: object = None) -> Seen:
    """A program's call: no cookie, no origin."""
    return owner.another()(method, path, body=body, origin=NOT_SAID, Authorization=f"Bearer {key}")


def test_a_key_is_shown_once_and_kept_as_a_hash(clipcast: Clipcast, owner: Browser) -> None:
    answer = owner("POST", "/apikeys", body={"name": "a  program", "role": "editor"})
    key = answer.json["key"]
    listed = owner("GET", "/apikeys")

    assert answer.headers["Cache-Control"] == "no-store"
    assert key.startswith("clipcast_")
    assert len(key) == len("clipcast_") + 43
    assert listed.json["api_keys"][0]["name"] == "a program"
    assert key.startswith(listed.json["api_keys"][0]["prefix"])
    assert len(listed.json["api_keys"][0]["prefix"]) == len("clipcast_") + 6
    assert key not in listed.text
    assert digest(key) not in listed.text
    with clipcast.db.reading() as session:
        stored = session.get_one(ApiKey, answer.json["id"])
        assert key not in str(vars(stored))
    assert key not in redact(f"somebody logged {key} by mistake")


def test_a_key_does_what_its_role_may(owner: Browser) -> None:
    key = made(owner)["key"]
    me = asked(owner, key).json

    assert (me["kind"], me["email"], me["role"], me["permissions"]) == ("key", None, "editor", ["publish", "read"])
    refused = asked(owner, key, "POST", "/apikeys", {"name": "more", "role": "owner"})
    assert (refused.status, refused.code) == (403, "forbidden")
    assert "This API key is an editor" in refused.json["detail"]
    assert asked(owner, key, "PATCH", "/people/me", {"name": "Eve"}).status == 403


def test_scopes_narrow_what_the_role_allows(owner: Browser) -> None:
    key = made(owner, role="owner", scopes=["read", "read"])["key"]

    assert asked(owner, key).json["permissions"] == ["read"]
    refused = asked(owner, key, "GET", "/apikeys")
    assert refused.status == 403
    assert "limited to read" in refused.json["detail"]


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"scopes": ["manage"]}, 400),
        ({"scopes": []}, 400),
        ({"scopes": ["everything"]}, 422),
        ({"name": ""}, 422),
        ({"name": "red\x1b[31m"}, 400),
        ({"name": "   "}, 400),
        ({"name": "x" * 121}, 422),
        ({"role": "king"}, 422),
        ({"expires_at": "2020-01-01T00:00:00Z"}, 400),
        ({"expires_at": "2030-01-01T00:00:00"}, 422),
        ({"key": "clipcast_mine"}, 422),
    ],
)
def test_a_key_that_makes_no_sense_is_refused(owner: Browser, wanted: dict[str, object], status: int) -> None:
    assert owner("POST", "/apikeys", body={"name": "a program", "role": "editor", **wanted}).status == status


def test_a_revoked_key_is_worth_nothing_and_stays_in_the_list(owner: Browser) -> None:
    key = made(owner)
    assert owner("DELETE", f"/apikeys/{key['id']}").status == 204
    assert owner("DELETE", f"/apikeys/{key['id']}").status == 204, "once more changes nothing"

    refused = asked(owner, key["key"])
    assert (refused.status, refused.code) == (401, "unauthorized")
    assert "revoked" in refused.json["detail"]
    assert owner("GET", "/apikeys").json["api_keys"][0]["revoked_at"] is not None
    assert owner("DELETE", "/apikeys/nothing").status == 404


def test_a_key_ends_at_its_time(owner: Browser, clock: MovableClock) -> None:
    key = made(owner, expires_at=(clock() + timedelta(days=1)).isoformat())["key"]
    assert asked(owner, key).status == 200
    clock.advance(86_400)

    refused = asked(owner, key)
    assert refused.status == 401
    assert "expired" in refused.json["detail"]


def test_a_made_up_key_is_nobodys_whatever_cookie_comes_along(owner: Browser) -> None:
    """What was said explicitly counts alone: a wrong key is never quietly replaced by a session."""
    good = made(owner)["key"]
    for key in ("clipcast_", good[:-1], good + "A", good.upper(), digest(good), "é"):
        assert owner("GET", "/people/me", Authorization=f"Bearer {key}").status == 401, key
    assert owner("GET", "/people/me", Authorization=f"bearer {good}").json["kind"] == "key"


def test_last_use_is_known_to_the_minute(owner: Browser, clock: MovableClock) -> None:
    key = made(owner)

    def last_used_at() -> Any:
        return owner("GET", "/apikeys").json["api_keys"][0]["last_used_at"]

    assert last_used_at() is None
    asked(owner, key["key"])
    first = last_used_at()
    clock.advance(59)
    asked(owner, key["key"])
    assert last_used_at() == first
    clock.advance(1)
    asked(owner, key["key"])
    assert last_used_at() > first


def test_keys_are_listed_by_page(owner: Browser) -> None:
    ids = [made(owner)["id"] for _ in range(3)]
    first = owner("GET", "/apikeys?limit=2").json
    second = owner("GET", f"/apikeys?limit=2&before={first['next']}").json

    assert [key["id"] for key in first["api_keys"] + second["api_keys"]] == ids[::-1]
    assert second["next"] is None


def test_keys_are_written_down_without_their_text(clipcast: Clipcast, owner: Browser) -> None:
    key = made(owner)
    owner("DELETE", f"/apikeys/{key['id']}")

    with clipcast.db.reading() as session:
        happened = ledger.events(session, stream=f"api_key:{key['id']}")
    actor = f"person:{owner.me().json['id']}"
    assert [(event.event, event.details["actor"]) for event in happened] == [("api_key_revoked", actor), ("api_key_created", actor)]
    assert key["key"] not in str([event.details for event in happened])
