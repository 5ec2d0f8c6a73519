"""One-time links: each makes one person, once."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from app.people.browsing import EMAIL, PASSWORD, Browser, first_link, invited
from clipcast.people import invitations, store
from clipcast.people.access import Role
from clipcast.system import Clipcast
from conftest import MovableClock


def test_the_first_link_makes_the_owner_and_signs_them_in(clipcast: Clipcast, browser: Browser) -> None:
    token = first_link(clipcast)

    page = browser("GET", f"/welcome?token={token}")
    assert page.status == 200
    assert "Welcome to Clipcast" in page.text
    joined = browser.join(token)

    assert (joined.status, joined.headers["Location"]) == (303, "/")
    me = browser.me().json
    assert (me["email"], me["role"], me["permissions"]) == (EMAIL, "owner", ["manage", "publish", "read"])


def test_a_link_works_once(clipcast: Clipcast, browser: Browser) -> None:
    token = first_link(clipcast)
    browser.join(token)

    again = browser.another().join(token, email="eve@example.com")

    assert again.status == 409
    assert "used already" in again.text
    assert browser.another()("GET", f"/welcome?token={token}").status == 409
    assert emails(clipcast) == [EMAIL]


def test_of_many_who_use_a_link_at_once_one_gets_in(clipcast: Clipcast, browser: Browser) -> None:
    token = first_link(clipcast)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: browser.another().join(token, email=f"p{number}@example.com").status, range(8)))

    assert sorted(answers) == [303] + [409] * 7
    assert len(emails(clipcast)) == 1


def test_a_new_start_replaces_the_link_that_was_not_used(clipcast: Clipcast, browser: Browser) -> None:
    old, new = first_link(clipcast), first_link(clipcast)

    assert browser.join(old).status == 404
    assert browser.join(new).status == 303


def test_once_there_is_an_owner_no_link_is_made(clipcast: Clipcast, owner: Browser) -> None:
    del owner
    with clipcast.db.writing() as session:
        assert invitations.first_link(session, clipcast.clock()) is None


def test_the_first_link_is_worth_nothing_once_somebody_else_is_the_owner(clipcast: Clipcast, browser: Browser) -> None:
    """It stands in the server's log, for whoever reads that; it ends with the want of an owner, however that ended."""
    token = first_link(clipcast)
    assert browser.join(invited(clipcast, Role.OWNER)).status == 303

    late = browser.another().join(token, email="eve@example.com")

    assert late.status == 409
    assert "There is an owner already" in late.text
    assert browser.another()("GET", f"/welcome?token={token}").status == 409
    assert browser("GET", "/people/invitations").json["invitations"] == []
    assert emails(clipcast) == [EMAIL]


def test_of_servers_that_start_at_once_one_prints_the_link(clipcast: Clipcast, browser: Browser) -> None:
    with ThreadPoolExecutor(8) as pool:
        tokens = list(pool.map(lambda _: first_link(clipcast), range(8)))

    assert sorted(browser("GET", f"/welcome?token={token}").status for token in tokens) == [200] + [404] * 7


def test_what_was_handed_out_outlives_a_start(clipcast: Clipcast, browser: Browser) -> None:
    """Only the first owner's link is replaced: an invitation lasts its seven days, also one that makes an owner."""
    token = invited(clipcast, Role.OWNER)
    first_link(clipcast)

    assert browser.join(token).status == 303


def test_a_link_expires(clipcast: Clipcast, browser: Browser, clock: MovableClock) -> None:
    token = first_link(clipcast)
    clock.advance(timedelta(hours=24).total_seconds())

    late = browser.join(token)

    assert late.status == 409
    assert "expired" in late.text
    assert emails(clipcast) == []


def test_a_made_up_link_says_what_to_do(browser: Browser) -> None:
    page = browser("GET", "/welcome?token=made-up")

    assert page.status == 404
    assert "not valid" in page.text
    assert "clipcast serve" in page.text


def test_a_poor_password_costs_nothing_but_a_second_try(clipcast: Clipcast, browser: Browser) -> None:
    """The form comes back with what was typed, the password excepted, and the link still works."""
    token = first_link(clipcast)
    for poor in ("too short", "1234567890", "aaaaaaaaaaaaa", EMAIL, "x" * 1025):
        page = browser.join(token, password=poor)
        assert page.status == 400
        assert f'value="{EMAIL}"' in page.text
        assert 'role="alert"' in page.text
        assert f'value="{poor}"' not in page.text.replace(f'value="{EMAIL}"', "")

    assert browser.join(token).status == 303


def test_what_people_type_is_never_markup(clipcast: Clipcast, browser: Browser) -> None:
    page = browser.join(first_link(clipcast), name='"><script>alert(1)</script>', password="short")

    assert "<script" not in page.text
    assert "&lt;script&gt;" in page.text


def test_a_name_that_no_database_keeps_is_refused(clipcast: Clipcast, browser: Browser) -> None:
    assert browser.join(first_link(clipcast), name="A\x00da").status == 400
    assert browser.join(first_link(clipcast), email="a\x00da@example.com").status == 400
    assert browser("POST", "/login", form={"email": "a\x00@example.com", "password": PASSWORD}).status == 401


def test_the_pages_run_no_script_and_leave_nothing_behind(clipcast: Clipcast, browser: Browser) -> None:
    for path in (f"/welcome?token={first_link(clipcast)}", "/login"):
        page = browser("GET", path)
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Referrer-Policy"] == "same-origin"
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert "script" not in page.headers["Content-Security-Policy"]
        assert not re.search(r"<script|\son\w+=|\sstyle=", page.text)
        assert re.findall(r'(?:src|href)="(http[^"]*)"', page.text) == []
    assert browser("GET", "/style.css").headers["Content-Type"].startswith("text/css")


def test_an_invitation_makes_a_person_of_its_role(owner: Browser) -> None:
    made = owner("POST", "/people/invitations", body={"role": "viewer"})
    assert made.status == 201
    assert made.headers["Cache-Control"] == "no-store"
    token = made.json["url"].partition("token=")[2]
    guest = owner.another()

    assert guest.join(token, email="Grace@Example.com ").status == 303
    assert (guest.me().json["role"], guest.me().json["email"]) == ("viewer", "grace@example.com")


def test_an_invitation_for_an_address_is_for_that_address(owner: Browser) -> None:
    made = owner("POST", "/people/invitations", body={"role": "editor", "email": "grace@example.com"}).json
    token = made["url"].partition("token=")[2]
    guest = owner.another()

    assert "readonly" in guest("GET", f"/welcome?token={token}").text
    assert guest.join(token, email="eve@example.com").status == 400
    assert guest.join(token, email="grace@example.com").status == 303


def test_an_owner_lists_and_withdraws_invitations(owner: Browser) -> None:
    made = owner("POST", "/people/invitations", body={"role": "editor"}).json
    listed = owner("GET", "/people/invitations")

    assert [each["id"] for each in listed.json["invitations"]] == [made["id"]]
    assert made["url"].partition("token=")[2] not in listed.text
    assert owner("DELETE", f"/people/invitations/{made['id']}").status == 204
    assert owner("DELETE", f"/people/invitations/{made['id']}").status == 404
    assert owner.another()("GET", "/welcome?" + made["url"].partition("?")[2]).status == 404


def test_nobody_is_invited_or_joins_twice(clipcast: Clipcast, owner: Browser) -> None:
    assert owner("POST", "/people/invitations", body={"role": "editor", "email": EMAIL.upper()}).status == 409

    twice = owner.another().join(invited(clipcast, Role.EDITOR), email=EMAIL.upper())

    assert twice.status == 409
    assert "already" in twice.text
    assert emails(clipcast) == [EMAIL]


def test_a_link_for_an_address_ends_when_its_owner_joined_by_another(clipcast: Clipcast, owner: Browser) -> None:
    """Otherwise whoever finds the older mail could set the password of somebody who is here."""
    left_over = invited(clipcast, Role.EDITOR, "grace@example.com")
    assert owner.another().join(invited(clipcast, Role.VIEWER), email="grace@example.com").status == 303

    assert owner.another().join(left_over, email="grace@example.com").status == 404


def test_a_reset_link_sets_a_password_and_signs_out_everywhere_else(clipcast: Clipcast, owner: Browser) -> None:
    with clipcast.db.writing() as session:
        person = store.person_with(session, EMAIL)
        assert person is not None
        token = invitations.reset_link(session, person, clipcast.clock())
    elsewhere = owner.another()

    assert EMAIL in elsewhere("GET", f"/welcome?token={token}").text
    assert elsewhere("POST", "/welcome", form={"token": token, "password": "another fine password"}).status == 303

    assert elsewhere.me().json["email"] == EMAIL
    assert owner.me().status == 401
    assert owner.sign_in().status == 401
    assert owner.sign_in(password="another fine password").status == 201


def emails(clipcast: Clipcast) -> list[str]:
    with clipcast.db.reading() as session:
        return [person.email for person in store.people(session, limit=100)]
