"""No secret leaves through the HTTP interface, the pages or Python: not one that was sent, nor one that somebody put into a wrong place.

A new way to go is one line in `WAYS`.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

import pytest

import clipcast
from app.accounts.wayfarer import query_of
from app.discretion.conftest import Way
from app.discretion.scene import LEAD, Scene
from app.people import browsing
from clipcast.people import invitations
from clipcast.people.access import Role
from contract.platforms import TIKTOK

WRITTEN_TO_BE_READ: Final = {"name"}
"""What people call things: it is shown as they wrote it, or they would not know them again."""


FILLED_IN: Final = re.compile(r'<input [^>]*name="(token|email)"[^>]*>')
"""A form that was filled in wrongly comes back with what was typed where it was typed, to be sent once more; but for the password."""


def people_come_and_go(scene: Scene) -> None:
    """Invitation, password, session, and everything that may be wrong with them."""
    with scene.product.db.writing() as session:
        token = scene.ear.mark("invitation", invitations.invite(session, Role.OWNER, None, scene.clock())[1])
    password, wrong = scene.ear.mark("password", "a-Pa55word-that-is-marked"), scene.ear.mark("password", "a-wr0ng-Pa55word-marked")
    browser = browsing.Browser(scene.api.url)
    for answer, status in (
        (browser.join(token, password="short"), 400),
        (browser.join(token, password=password), 303),
        (browser.join(token, password=password), 409),
        (browser.sign_in(password=wrong), 401),
        (browser.sign_in(password=password), 201),
        (browser("POST", "/sessions", body={"email": password, "password": [password]}), 422),
        (browser("POST", "/sessions", body={"email": [password], password: wrong}), 422),
        (browser("POST", "/login", form={"email": password, "password": wrong}), 401),
        (browser("PATCH", "/people/me", body={"password": wrong, "new_password": [password]}), 422),
    ):
        assert answer.status == status, answer.text
        scene.ear.hear("a page of people", FILLED_IN.sub("", answer.text))
    for name, value in browser.cookies.items():
        scene.ear.mark(f"cookie {name}", value)
    scene.ear.hear("who is signed in", browser.me().text)
    scene.ear.hear("after the end", browser("DELETE", "/sessions/current").text)
    browser.close()


def somebody_is_invited(scene: Scene) -> None:
    """The one answer tells the link, and nothing else ever does."""
    made = scene.api("POST", "/people/invitations", {"role": "viewer", "email": "friend@example.com"})
    assert made.status == 201
    token = scene.ear.mark("invitation", query_of(made.json["url"])["token"])
    scene.call("GET", "/people/invitations")
    scene.call("GET", f"/welcome?token={token[:-1]}")
    scene.call("DELETE", f"/people/invitations/{made.json['id']}")
    scene.call("GET", f"/welcome?token={LEAD}")


def a_key_is_made(scene: Scene) -> None:
    """The one answer tells the key, and nothing else ever does: not where it is used, listed, revoked or refused."""
    made = scene.api("POST", "/apikeys", {"name": "a program", "role": "viewer"})
    assert made.status == 201
    key = scene.ear.mark("API key", made.json["key"])
    for number, status in enumerate((200, 401)):
        assert scene.call("GET", "/accounts", Authorization=f"Bearer {key}").status == status
        scene.call("POST", "/accounts", {"platform": "tiktok", "username": "maker"}, Authorization=f"Bearer {key}")
        scene.call("GET", f"/clips?before={key}")
        scene.call("GET", "/apikeys")
        if number == 0:
            assert scene.call("DELETE", f"/apikeys/{made.json['id']}").status == 204


def a_calendar_is_subscribed_to(scene: Scene) -> None:
    """The one answer tells the address, and nothing else ever does."""
    made = scene.api("POST", "/calendar/feeds", {"name": "a phone"})
    assert made.status == 201
    address = urlsplit(made.json["url"])
    scene.ear.mark("feed", query_of(made.json["url"])["token"])
    for status in (200, 404):
        assert scene.call("GET", f"{address.path}?{address.query}").status == status
        scene.call("GET", "/calendar/feeds")
        scene.call("DELETE", f"/calendar/feeds/{made.json['id']}")


def accounts_are_added_by_hand(scene: Scene) -> None:
    """Credentials are pasted, changed, pasted wrongly."""
    pasted = scene.ear.mark("pasted", "a-pasted-token-without-any-shape")
    added = scene.call("POST", "/accounts", {"platform": "tiktok", "username": "maker", "credentials": {"access_token": pasted}})
    assert added.status == 201
    path = f"/accounts/{added.json['id']}"
    for wrong in ({"access_token": [pasted]}, {pasted: pasted}, pasted, [pasted], {"expires_at": pasted}, {"access_token": pasted * 1000}):
        scene.call("PATCH", path, {"credentials": wrong})
        scene.call("POST", "/accounts", {"platform": "tiktok", "username": "other", "credentials": wrong})
    scene.call("POST", "/accounts", {"platform": "tiktok", "username": "maker", "credentials": {"access_token": pasted}})
    scene.call("PATCH", path, {"credentials": {"access_token": pasted, "client_key": pasted}})
    scene.call("POST", f"{path}/refresh")


def everything_is_read(scene: Scene) -> None:
    """Each GET that there is, as an owner, once as it should be and in the ways in which it should not."""
    scene.publish(scene.bench(TIKTOK), steps=1)
    ids = ids_of(scene)
    for path, operations in scene.api.document["paths"].items():
        if "get" not in operations or path.startswith(("/oauth/", "/media/")) or path.endswith("/thumbnail"):
            continue  # redirects, which have to carry a state, and pictures
        filled = re.sub(r"{(\w+)}", lambda found: ids.get(found[1], "nobody"), path)
        scene.call("GET", filled)
        scene.call("GET", filled, Authorization=f"Bearer {LEAD}")
        scene.call("GET", f"{filled}?limit={LEAD}&before={LEAD}&platform={LEAD}&token={LEAD}&status={LEAD}")
        scene.call("GET", re.sub(r"{\w+}", LEAD, path))


def secrets_are_sent_in_wrong_places(scene: Scene) -> None:
    """Into every field of every body, as its name, as the whole body, and as half of one."""
    scene.publish(scene.bench(TIKTOK), steps=1)
    ids = ids_of(scene)
    for path, operations in scene.api.document["paths"].items():
        for method in operations.keys() & {"post", "put", "patch", "delete"}:
            if path == "/clips" or path.startswith("/oauth/"):
                continue
            filled = re.sub(r"{(\w+)}", lambda found: ids.get(found[1], "nobody"), path)
            if method != "delete":
                for body in wrong_bodies(scene.api.document, operations[method]):
                    scene.call(method.upper(), filled, body)
            scene.call(method.upper(), re.sub(r"{\w+}", LEAD, path), {})


def python_is_used(scene: Scene) -> None:
    account_id = scene.bench(TIKTOK).account_id
    held = clipcast.get_account_credentials(scene.product, account_id)
    scene.ear.hear("credentials", f"{held} {held!r} {held.values}")
    wrong: tuple[Any, ...] = ({LEAD: LEAD}, {"access_token": [LEAD]}, {"expires_at": LEAD}, {"access_token": LEAD * 1000})
    for credentials in wrong:
        assert scene.hear_trouble(partial(clipcast.set_account_credentials, scene.product, account_id, credentials))
    clipcast.set_account_credentials(scene.product, account_id, held)
    scene.ear.hear("an installation", f"{scene.product!r} {scene.product.settings!r} {scene.product.settings.model_dump()}")


WAYS: Final[Mapping[Way, tuple[str, ...]]] = {
    people_come_and_go: ("sqlite", "postgresql"),
    somebody_is_invited: ("sqlite",),
    a_key_is_made: ("sqlite",),
    a_calendar_is_subscribed_to: ("sqlite",),
    accounts_are_added_by_hand: ("sqlite",),
    everything_is_read: ("sqlite",),
    secrets_are_sent_in_wrong_places: ("sqlite",),
    python_is_used: ("sqlite",),
}
"""The ways, and the databases on which each is gone: both where what is stored differs."""


@pytest.mark.parametrize(
    ("way", "database_url"),
    [pytest.param(way, database, id=f"{way.__name__}-{database}") for way, databases in WAYS.items() for database in databases],
    indirect=["database_url"],
)
def test_no_secret_leaves_through_what_is_served(play: Callable[[Way], None], way: Way) -> None:
    play(way)


def ids_of(scene: Scene) -> dict[str, str]:
    """What stands in paths, of things that are there."""
    bench = scene.bench(TIKTOK)
    return {**scene.ids, "clip_id": bench.shelf["video"].id, "account_id": bench.account_id, "platform": "tiktok"}


def wrong_bodies(document: Any, operation: Any) -> Iterator[object]:
    """Bodies for this operation with a token where none belongs."""
    schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    properties = document["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], {}).get("properties", {})
    yield {name: [LEAD] for name in properties}
    yield {name: {LEAD: LEAD} for name in properties}
    yield dict.fromkeys(properties.keys() - WRITTEN_TO_BE_READ, LEAD)
    yield {LEAD: LEAD, "access_token": LEAD}
    yield json.dumps({"access_token": LEAD}).encode()[:-1]
    yield json.dumps(LEAD).encode()
