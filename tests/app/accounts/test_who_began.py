"""The way back from a consent page asks nobody who they are: whoever began must be there still, and may connect accounts still."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from app.accounts.consenting import consented
from app.accounts.test_linking_attacks import connected, exchanges, sentence
from app.accounts.wayfarer import Browser
from app.api.calling import Api
from clipcast.accounts.linking import redirect_uri
from clipcast.accounts.models import PendingLink
from clipcast.accounts.pending import LinkRefused, Wish
from clipcast.db.base import new_id
from clipcast.people import keys, members, sessions
from clipcast.people.access import COMMAND_LINE, Role
from clipcast.people.cookies import SESSION
from clipcast.people.models import Person
from clipcast.platforms.base import Answer, Request
from clipcast.system import Clipcast
from conftest import MovableClock
from contract.world import World

#: What becomes of mallory while she is at the platform's page.
Fate = Callable[[Api, str], None]


def deleted(api: Api, person_id: str) -> None:
    assert api("DELETE", f"/people/{person_id}").status == 204


def demoted(api: Api, person_id: str) -> None:
    assert api("PATCH", f"/people/{person_id}", {"role": "editor"}).status == 200


def person(clipcast: Clipcast, name: str) -> str:
    """An owner, straight into the database; gives the id."""
    now = clipcast.clock()
    with clipcast.db.writing() as session:
        email = f"{name}@example.com"
        row = Person(id=new_id(), email=email, name=name, role=Role.OWNER, password_hash="-", created_at=now, updated_at=now)
        session.add(row)
    return row.id


def signed_in(clipcast: Clipcast, api: Api, person_id: str) -> Browser:
    with clipcast.db.writing() as session:
        token = sessions.begin(session, person_id, clipcast.clock())
    return Browser(api.url, cookies={SESSION: (clipcast.cookies.sign(SESSION, token), "/")})


@pytest.mark.parametrize("fate", [deleted, demoted])
def test_who_was_shown_out_at_the_platforms_page_connects_nothing(clipcast: Clipcast, api: Api, world: World, fate: Fate) -> None:
    person(clipcast, "ada")
    mallory = person(clipcast, "mallory")
    browser = signed_in(clipcast, api, mallory)
    back = browser.consent(browser.start("tiktok").location, "maker")
    fate(api, mallory)

    refused = browser.open(back)

    assert refused.status == 400
    assert "may not connect accounts any more, so nothing was connected" in sentence(refused.text)
    assert connected(api) == []
    assert exchanges(world) == 0, "the platform was not asked either"
    assert "used already" in sentence(browser.open(back).text)
    browser.close()


@pytest.mark.parametrize("ending", ["revoked", "expired"])
def test_a_consent_ends_with_the_key_that_began_it(clipcast: Clipcast, api: Api, world: World, clock: MovableClock, ending: str) -> None:
    with clipcast.db.writing() as session:
        ends_at = clock() + timedelta(minutes=5)
        key, text = keys.create_key(session, name="short", role=Role.OWNER, expires_at=ends_at, now=clock())
    browser = Browser(api.url, text)
    back = browser.consent(browser.start("tiktok").location, "maker")
    if ending == "revoked":
        assert api("DELETE", f"/apikeys/{key.id}").status == 204
    else:
        clock.advance(300)

    assert browser.open(back).status == 400
    assert connected(api) == []
    assert exchanges(world) == 0
    browser.close()


def test_who_is_shown_out_while_the_code_is_traded_connects_nothing(clipcast: Clipcast, api: Api) -> None:
    """Between the first look and the account lie requests to the platform."""
    person(clipcast, "ada")
    mallory = person(clipcast, "mallory")

    def shown_out_meanwhile(request: Request) -> Answer:
        with clipcast.db.writing() as session:
            if session.get(Person, mallory) is not None:
                members.delete(session, mallory, clipcast.clock(), by=COMMAND_LINE)
        return clipcast.linker.send(request)

    linker = replace(clipcast.linker, send=shown_out_meanwhile)
    uri = redirect_uri("tiktok", "", "127.0.0.1:8000")
    url = linker.start(Wish("tiktok"), redirect_uri=uri, browser="mark", actor=f"person:{mallory}")
    with pytest.raises(LinkRefused, match="not here any more"):
        linker.arrived("tiktok", consented(url, "maker"), "mark")

    assert connected(api) == []


def test_a_shell_needs_no_leave(clipcast: Clipcast, api: Api, browser: Browser) -> None:
    """What `clipcast accounts link` began is ended by a browser of anybody's on this machine, as ever."""
    began = browser.start("tiktok")
    with clipcast.db.writing() as session:
        session.query(PendingLink).update({"actor_id": COMMAND_LINE})

    browser.open(browser.consent(began.location, "maker"))

    assert connected(api) == ["maker"]
