"""`clipcast people`, and the link that a first start prints: a shell on the machine always lets somebody in."""

import signal
from collections.abc import Iterator

import pytest

from app.cli.running import Run, Start, answer, greeting, line_with
from app.people.browsing import EMAIL, PASSWORD, Browser


@pytest.fixture
def browser() -> Iterator[Browser]:
    browser = Browser("http://127.0.0.1:0")
    yield browser
    browser.close()


def token_of(url: str) -> str:
    return url.partition("/welcome?token=")[2]


def test_a_first_start_prints_a_link_until_somebody_used_one(start: Start, browser: Browser) -> None:
    """And the way on from there: signing in again on the next start, inviting, deleting."""
    first = start("serve", "--port", "0", "--json")
    unused = token_of(greeting(first)["welcome"])
    first.send_signal(signal.SIGTERM)
    first.communicate(timeout=30)
    second = start("serve", "--port", "0", "--json")
    said = greeting(second)
    browser.url = said["url"]

    assert browser.join(unused).status == 404, "a new start replaced it"
    assert browser.join(token_of(said["welcome"])).status == 303
    assert browser.me().json["role"] == "owner"

    second.send_signal(signal.SIGTERM)
    _, stderr = second.communicate(timeout=30)
    assert PASSWORD not in stderr
    assert token_of(said["welcome"]) not in stderr
    third = start("serve", "--port", "0", "--json")
    again = greeting(third)
    assert again["welcome"] is None
    browser.url = again["url"]
    assert browser.me().status == 200, "sessions outlive the server"


def test_the_link_stands_on_a_line_of_its_own(start: Start) -> None:
    server = start("serve", "--port", "0")
    line_with(server.stdout, "There is no owner yet")
    assert line_with(server.stdout, "/welcome?token=").strip().startswith("http://127.0.0.1:")


def test_people_are_invited_listed_and_deleted(run: Run, start: Start, browser: Browser) -> None:
    assert run("people").stdout.startswith("Nobody is here yet")
    owner = answer(run("people", "invite", "--role", "owner", "--email", EMAIL, "--json"))
    editor = run("people", "invite", "--role", "editor", "--url", "https://clips.example.com/")
    assert editor.stdout.startswith("https://clips.example.com/welcome?token=")
    browser.url = greeting(start("serve", "--port", "0", "--json"))["url"]
    assert browser.join(token_of(owner["url"])).status == 303
    grace = browser.another()
    assert grace.join(token_of(editor.stdout.strip()), email="grace@example.com", name="Grace").status == 303

    assert [person["email"] for person in answer(run("people", "--json"))["people"]] == ["grace@example.com", EMAIL]
    assert "Grace" in run("people", "list").stdout
    raised = run("people", "role", "grace@example.com", "owner")
    assert (raised.stdout, grace.me().json["role"]) == ("grace@example.com is owner from now on.\n", "owner")
    assert answer(run("people", "role", "grace@example.com", "viewer", "--json"))["role"] == "viewer"
    assert run("people", "role", "grace@example.com", "king").exit_code == 2
    gone = run("people", "delete", "GRACE@example.com")
    assert (gone.exit_code, "Revoked" in gone.stdout) == (0, False)
    assert grace.me().status == 401
    last = run("people", "role", EMAIL, "editor")
    assert (last.exit_code, "last owner" in last.stderr) == (1, True)
    last = run("people", "delete", EMAIL)
    assert (last.exit_code, "last owner" in last.stderr) == (1, True)
    assert browser.me().status == 200


def test_who_is_deleted_takes_their_keys_along(run: Run, start: Start, browser: Browser) -> None:
    browser.url = greeting(start("serve", "--port", "0", "--json"))["url"]
    for email in (EMAIL, "mallory@example.com"):
        assert browser.join(token_of(answer(run("people", "invite", "--role", "owner", "--json"))["url"]), email=email).status == 303
    roles = {"spare": "editor", "other": "owner", "third": "owner"}
    first, second, third = (browser("POST", "/apikeys", body={"name": name, "role": role}).json for name, role in roles.items())
    assert browser("DELETE", f"/apikeys/{second['id']}").status == 204

    demoted = run("people", "role", "mallory@example.com", "editor")
    assert demoted.stdout.splitlines()[1:] == [f"Revoked {third['prefix']}... (third), made by them or with a key of theirs."]
    gone = run("people", "delete", "mallory@example.com")

    assert f"Revoked {first['prefix']}... (spare)" in gone.stdout
    assert second["prefix"] not in gone.stdout, "that one was worth nothing before"
    assert browser.another()("GET", "/people/me", Authorization=f"Bearer {first['key']}").status == 401
    assert f"person:{first['created_by'].partition(':')[2]}" in run("apikeys").stdout


def test_a_forgotten_password_is_replaced(run: Run, start: Start, browser: Browser) -> None:
    """By a link, or right here; either at once, however many wrong ones came before."""
    browser.url = greeting(start("serve", "--port", "0", "--json"))["url"]
    browser.join(token_of(answer(run("people", "invite", "--role", "owner", "--json"))["url"]))
    stranger = browser.another()
    assert [stranger.sign_in(password="a wrong password").status for _ in range(6)][-1] == 429

    link = answer(run("people", "reset-password", EMAIL, "--json"))["url"]
    form = {"token": token_of(link), "password": "a second password"}
    assert stranger("POST", "/welcome", form=form).status == 303
    assert stranger.me().status == 200
    assert browser.me().status == 401

    asked = run("people", "reset-password", EMAIL, "--ask", stdin="a third password\na third password\n")
    assert (asked.exit_code, "a third password" in asked.output) == (0, False)
    assert stranger.me().status == 401
    assert stranger.sign_in(password="a third password").status == 201


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("invite",), 2, "--role"),
        (("invite", "--role", "king"), 2, "owner, editor or viewer"),
        (("invite", "--role", "owner", "--email", "nobody"), 1, "not an email address"),
        (("reset-password", "nobody@example.com"), 1, "Nobody with this email address"),
        (("delete", "nobody@example.com"), 1, "Nobody with this email address"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(run: Run, arguments: tuple[str, ...], code: int, said: str) -> None:
    refused = run("people", *arguments)
    assert refused.exit_code == code
    assert said in refused.stderr
