"""Nobody hands out more than they have: a key that is limited makes no key and no person that may more."""

import pytest

from app.people.browsing import NOT_SAID, Browser, Seen, invited, on_one_database
from clipcast.people.access import Role
from clipcast.system import Clipcast

pytestmark = on_one_database

MANAGING = {"name": "manages", "role": "owner", "scopes": ["manage"]}


@pytest.fixture
def manager(owner: Browser) -> str:
    """A key that manages and may neither read nor publish."""
    return str(owner("POST", "/apikeys", body=MANAGING).json["key"])


def asked(owner: Browser, key: str, method: str, path: str, body: object = None) -> Seen:
    return owner.another()(method, path, body=body, origin=NOT_SAID, Authorization=f"Bearer {key}")


@pytest.mark.parametrize(
    "wanted",
    [
        {"name": "more", "role": "owner"},
        {"name": "more", "role": "viewer"},
        {"name": "more", "role": "owner", "scopes": ["manage", "read"]},
        {"name": "more", "role": "editor", "scopes": ["publish"]},
    ],
)
def test_a_limited_key_makes_no_key_that_may_more(owner: Browser, manager: str, wanted: dict[str, object]) -> None:
    refused = asked(owner, manager, "POST", "/apikeys", wanted)

    assert (refused.status, refused.code) == (403, "forbidden")
    assert "This API key lacks " in refused.json["detail"]
    assert len(owner("GET", "/apikeys").json["api_keys"]) == 1


def test_a_limited_key_makes_another_like_it(owner: Browser, manager: str) -> None:
    assert asked(owner, manager, "POST", "/apikeys", MANAGING).status == 201


@pytest.mark.parametrize("role", list(Role))
def test_a_limited_key_invites_nobody_who_may_more(owner: Browser, manager: str, role: Role) -> None:
    assert asked(owner, manager, "POST", "/people/invitations", {"role": role}).status == 403
    assert owner("GET", "/people/invitations").json["invitations"] == []


def test_a_limited_key_raises_nobody_above_itself(clipcast: Clipcast, owner: Browser, manager: str) -> None:
    guest = owner.another()
    guest.join(invited(clipcast, Role.VIEWER), email="grace@example.com", name="Grace")
    person = f"/people/{guest.me().json['id']}"

    assert asked(owner, manager, "PATCH", person, {"role": "owner"}).status == 403
    assert guest.me().json["role"] == "viewer"
    assert asked(owner, manager, "PATCH", person, {"name": "Grace H."}).status == 200
    guest.close()
