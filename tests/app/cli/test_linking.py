"""Accounts connected from a terminal: a real process, a real browser's way through the simulator's page, and back to the loopback."""

import json
import re
import socket
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from app.accounts.conftest import at
from app.accounts.wayfarer import Browser, query_of, with_query
from app.cli.running import Run, Start
from contract.world import World


@pytest.fixture
def live(data_dir: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulator as if it were the platforms."""
    assert data_dir
    for name, value in at(world.url, instagram_app="17000000000000002").items():
        monkeypatch.setenv(f"CLIPCAST_{name.upper()}", value)


def consent_url(process: "subprocess.Popen[str]") -> str:
    """The address that the command prints."""
    assert process.stderr
    while line := process.stderr.readline():
        if found := re.fullmatch(r"\s+(http\S+)\s*", line):
            return found[1]
    raise AssertionError("no address was printed")


def ended(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


@pytest.mark.usefixtures("live")
def test_an_account_is_connected_from_a_terminal(start: Start, run: Run) -> None:
    """The command prints the page, waits, and says who is connected; the browser is told that it may go."""
    process = start("accounts", "link", "tiktok", "--no-browser", "--json")
    url = consent_url(process)
    back = Browser(url).consent(url, "maker")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/oauth/tiktok/callback", back.partition("?")[0])

    page = Browser(url).open(back)

    assert (page.status, "You can close this window" in page.text) == (200, True)
    assert page.headers["referrer-policy"] == "no-referrer"
    code, out, err = ended(process)
    assert code == 0, err
    assert json.loads(out)["accounts"][0]["username"] == "maker"
    for secret in (query_of(back)["code"], query_of(back)["state"]):
        assert secret not in out + err.replace(url, "")
    listed = json.loads(run("accounts", "--json").output)["accounts"]
    assert [(one["username"], one["live"]) for one in listed] == [("maker", True)]
    events = json.loads(run("ledger", "list", "--json").output)["events"]
    assert [(one["event"], one["metadata"]["actor"]) for one in events] == [("account_linked", "command line")]


@pytest.mark.usefixtures("live")
def test_strangers_at_the_port_change_nothing(start: Start) -> None:
    """A forged state, another path and a stuck connection are turned away, and the owner still gets in."""
    process = start("accounts", "link", "youtube", "--no-browser")
    url = consent_url(process)
    back = Browser(url).consent(url, "maker")
    port = urlsplit(back).port
    assert port
    stranger = Browser(back)
    assert stranger.open(with_query(back, state="forged")).status == 400
    assert stranger.open("/favicon.ico").status == 404
    assert stranger.open(f"{back}&state=twice").status == 400

    assert stranger.open(back).status == 200

    code, out, err = ended(process)
    assert (code, "@maker: connected" in out) == (0, True), err
    with socket.socket() as gone:
        assert gone.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.usefixtures("live")
def test_a_no_ends_the_command(start: Start) -> None:
    process = start("accounts", "link", "tiktok", "--no-browser")
    url = consent_url(process)
    page = Browser(url).open(Browser(url).consent(url, "maker", decision="cancel"))
    assert page.status == 400
    code, _, err = ended(process)
    assert (code, "not allowed to connect" in err) == (1, True)


@pytest.mark.usefixtures("live")
def test_pages_are_chosen_by_name(start: Start, run: Run, world: World) -> None:
    for name in ("bakery", "cafe", "zoo"):
        world.ask("PUT", f"instagram/accounts/{name}", {"login": "facebook", "holder": "agency"})
    names = ("--choose", "@bakery", "--choose", "zoo")
    process = start("accounts", "link", "instagram", "--login", "facebook", "--no-browser", *names)
    url = consent_url(process)
    assert "choose in the terminal" in Browser(url).open(Browser(url).consent(url, "cafe")).text
    code, _, err = ended(process)
    assert code == 0, err
    assert [one["username"] for one in json.loads(run("accounts", "--json").output)["accounts"]] == ["bakery", "zoo"]


def test_without_an_app_it_is_a_rehearsal(start: Start) -> None:
    """The simulator's page takes the place of the platform's, and the last line says so."""
    process = start("accounts", "link", "tiktok", "--no-browser")
    url = consent_url(process)
    Browser(url).open(Browser(url).consent(url, "maker"))
    code, out, err = ended(process)
    assert (code, "publishes to the simulator" in out) == (0, True), err


def test_a_port_that_is_taken_is_named(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("accounts", "link", "tiktok", "--no-browser", "--port", port)
    assert result.exit_code == 1
    assert f"Port {port} on 127.0.0.1 cannot be used" in result.output


def test_accounts_are_disconnected_and_deleted(run: Run) -> None:
    run("accounts", "add", "tiktok", "maker")

    gone = run("accounts", "disconnect", "maker")
    asked = run("accounts", "delete", "maker", stdin="n\n")
    deleted = json.loads(run("accounts", "delete", "tiktok:maker", "--yes", "--json").output)

    assert (gone.exit_code, "disconnected" in gone.output) == (0, True)
    assert asked.exit_code == 1
    assert (deleted["revoked"], deleted["scheduled"]) == (False, 0)
    assert run("accounts").output.startswith("There are no accounts yet")
    assert run("accounts", "delete", "maker", "--yes").exit_code == 1
