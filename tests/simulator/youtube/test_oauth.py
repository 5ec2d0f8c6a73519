"""Consent, the token endpoint and revocation."""

import base64
import hashlib
import re
from collections.abc import Mapping
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from simulator.wire import Answer, Sim
from simulator.youtube.channel import Channel, app, channel, knobs, reason

CLIENT = {
    "client_id": "100000000001-clipcastsimulator.apps.googleusercontent.com",
    "client_secret": "GOCSPX-clipcast-simulator-secret",
}
BACK = "http://127.0.0.1:8000/oauth/youtube/callback"
PREFIX = "https://www.googleapis.com/auth/"
UPLOAD, READONLY = f"{PREFIX}youtube.upload", f"{PREFIX}youtube.readonly"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
S256 = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()

ASK = {
    "client_id": CLIENT["client_id"],
    "redirect_uri": BACK,
    "response_type": "code",
    "scope": f"{UPLOAD} {READONLY}",
    "state": "s1",
    "access_type": "offline",
    "prompt": "consent",
}


def page(sim: Sim, **changes: str | None) -> Answer:
    asked = {name: value for name, value in (ASK | changes).items() if value is not None}
    return sim.send("GET", f"/youtube/o/oauth2/v2/auth?{urlencode(asked)}")


def decide(
    sim: Sim, shown: Answer, username: str = "ana", *, grant: tuple[str, ...] = (UPLOAD, READONLY), decision: str = "authorize"
) -> Any:
    """Fill in the form and return what the browser is sent back with."""
    assert shown.status == 200, shown.body
    hidden = re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', shown.body.decode())
    fields = [(unescape(name), unescape(value)) for name, value in hidden]
    fields += [("username", username), *(("grant", scope) for scope in grant), ("decision", decision)]
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = sim.send("POST", "/youtube/o/oauth2/v2/auth/consent", body=urlencode(fields).encode(), headers=kind)
    assert answer.status == 302, answer.body
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def exchange(sim: Sim, code: str, **changes: str | None) -> Answer:
    fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, **CLIENT} | changes
    return sim.form("/youtube/token", {name: value for name, value in fields.items() if value is not None})


def refresh(sim: Sim, token: str, **changes: str) -> Answer:
    return sim.form("/youtube/token", {"grant_type": "refresh_token", "refresh_token": token, **CLIENT} | changes)


def granted(sim: Sim, **changes: str | None) -> Any:
    """Go the whole way and return the token answer."""
    answer = exchange(sim, decide(sim, page(sim, **changes))["code"])
    assert answer.status == 200, answer.body
    return answer.json


def refused(answer: Answer) -> tuple[int, str, str]:
    return answer.status, answer.json["error"], answer.json["error_description"]


def test_consent_ends_in_tokens_that_work(sim: Sim) -> None:
    back = decide(sim, page(sim))
    assert (back["state"], back["scope"]) == ("s1", f"{UPLOAD} {READONLY}")

    answer = exchange(sim, back["code"]).json

    assert (answer["expires_in"], answer["token_type"]) == (3599, "Bearer")
    assert set(answer["scope"].split()) == {UPLOAD, READONLY}
    assert "refresh_token_expires_in" not in answer
    ana = Channel(sim, answer)
    (mine,) = ana.get("channels", part="snippet", mine="true").json["items"]
    assert mine["snippet"]["title"] == "Ana"


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_id": None}, 400, "invalid_request"),
        ({"client_id": "x"}, 401, "invalid_client"),
        ({"redirect_uri": None}, 400, "invalid_request"),
        ({"redirect_uri": f"{BACK}/"}, 400, "redirect_uri_mismatch"),
        ({"redirect_uri": "https://127.0.0.1:8000/oauth/youtube/callback"}, 400, "redirect_uri_mismatch"),
        ({"redirect_uri": "http://127.0.0.1:x/oauth/youtube/callback"}, 400, "redirect_uri_mismatch"),
        ({"response_type": "token"}, 400, "invalid_request"),
        ({"scope": None}, 400, "invalid_scope"),
        ({"scope": "youtube.upload"}, 400, "invalid_scope"),
        ({"access_type": "always"}, 400, "invalid_request"),
        ({"prompt": "please"}, 400, "invalid_request"),
        ({"prompt": "none consent"}, 400, "invalid_request"),
        ({"include_granted_scopes": "yes"}, 400, "invalid_request"),
        ({"code_challenge": "short"}, 400, "invalid_request"),
        ({"code_challenge_method": "S256"}, 400, "invalid_request"),
        ({"code_challenge": S256, "code_challenge_method": "S512"}, 400, "invalid_request"),
    ],
)
def test_a_bad_request_shows_a_page_and_never_redirects(sim: Sim, changes: dict[str, str | None], status: int, error: str) -> None:
    answer = page(sim, **changes)

    assert (answer.status, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert f"Error {status}: {error}".encode() in answer.body


def test_nobody_is_signed_in_for_prompt_none(sim: Sim) -> None:
    answer = page(sim, prompt="none")

    assert answer.status == 302
    assert answer.headers["location"] == f"{BACK}?state=s1&error=interaction_required"


def test_a_cancelled_consent_is_access_denied(sim: Sim) -> None:
    assert decide(sim, page(sim), decision="cancel") == {"state": "s1", "error": "access_denied"}
    assert decide(sim, page(sim), grant=()) == {"state": "s1", "error": "access_denied"}


def test_the_user_may_untick_a_scope(sim: Sim) -> None:
    back = decide(sim, page(sim), grant=(UPLOAD,))

    assert exchange(sim, back["code"]).json["scope"] == UPLOAD


@pytest.mark.parametrize(
    ("first", "then", "has_refresh"),
    [
        ({}, None, True),
        ({"access_type": None}, None, False),
        ({"access_type": "online"}, None, False),
        ({"prompt": None}, None, True),
        ({}, {"prompt": None}, False),
        ({}, {"prompt": "select_account"}, False),
        ({}, {}, True),
    ],
)
def test_a_refresh_token_comes_offline_and_once_unless_asked_anew(
    sim: Sim, *, first: dict[str, str | None], then: dict[str, str | None] | None, has_refresh: bool
) -> None:
    answer = granted(sim, **first)
    if then is not None:
        answer = granted(sim, **then)

    assert ("refresh_token" in answer) == has_refresh


def test_scopes_add_up_when_asked_to(sim: Sim) -> None:
    exchange(sim, decide(sim, page(sim, scope=READONLY), grant=(READONLY,))["code"])

    back = decide(sim, page(sim, scope=UPLOAD, include_granted_scopes="true"), grant=(UPLOAD,))

    assert set(exchange(sim, back["code"]).json["scope"].split()) == {UPLOAD, READONLY}


def test_a_desktop_app_is_answered_on_any_loopback_port_and_always_gets_a_refresh_token(sim: Sim) -> None:
    app(sim, {"client_id": "desk"}, kind="desktop", client_secret="not so secret")
    back = "http://127.0.0.1:40123"
    asked = {"client_id": "desk", "redirect_uri": back, "access_type": None, "prompt": None}

    code = decide(sim, page(sim, **asked))["code"]

    answer = exchange(sim, code, client_id="desk", client_secret="not so secret", redirect_uri=back)
    assert "refresh_token" in answer.json
    assert page(sim, **(asked | {"redirect_uri": "http://localhost:40123"})).status == 400


@pytest.mark.parametrize(
    ("asked", "sent", "outcome"),
    [
        ({"code_challenge": S256, "code_challenge_method": "S256"}, VERIFIER, None),
        ({"code_challenge": VERIFIER, "code_challenge_method": "plain"}, VERIFIER, None),
        ({"code_challenge": VERIFIER}, VERIFIER, None),
        ({"code_challenge": S256, "code_challenge_method": "S256"}, None, "Missing code verifier."),
        ({"code_challenge": S256, "code_challenge_method": "S256"}, "x" * 43, "Invalid code verifier."),
        ({"code_challenge": S256, "code_challenge_method": "S256"}, "x" * 42, "Invalid code verifier."),
        ({"code_challenge": S256, "code_challenge_method": "S256"}, f"{VERIFIER}\u00e4", "Invalid code verifier."),
        ({"code_challenge": S256}, VERIFIER, "Invalid code verifier."),
        ({}, VERIFIER, "Invalid code verifier."),
    ],
)
def test_pkce_in_both_methods(sim: Sim, asked: dict[str, str | None], sent: str | None, outcome: str | None) -> None:
    code = decide(sim, page(sim, **asked))["code"]

    answer = exchange(sim, code, code_verifier=sent)

    assert answer.status == 200 if outcome is None else refused(answer) == (400, "invalid_grant", outcome)


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"grant_type": None}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"code": "4/0wrong"}, 400, "invalid_grant"),
        ({"redirect_uri": BACK.replace("8000", "8001")}, 400, "redirect_uri_mismatch"),
        ({"redirect_uri": None}, 400, "invalid_request"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "wrong"}, 401, "invalid_client"),
    ],
)
def test_a_bad_exchange_is_refused_in_oauths_shape(sim: Sim, changes: Mapping[str, str | None], status: int, error: str) -> None:
    code = decide(sim, page(sim))["code"]

    fields: dict[str, Any] = {"code": code, **changes}
    assert refused(exchange(sim, **fields))[:2] == (status, error)
    assert exchange(sim, code).status == 200


def test_a_code_works_once_and_for_ten_minutes(sim: Sim) -> None:
    used, late = (decide(sim, page(sim))["code"] for _ in range(2))
    assert exchange(sim, used).status == 200

    assert refused(exchange(sim, used)) == (400, "invalid_grant", "Bad Request")
    sim.advance(600)
    assert refused(exchange(sim, late)) == (400, "invalid_grant", "Bad Request")


def test_refreshing_gives_an_access_token_and_keeps_the_refresh_token_to_itself(sim: Sim) -> None:
    first = granted(sim)

    answer = refresh(sim, first["refresh_token"]).json

    assert set(answer) == {"access_token", "expires_in", "scope", "token_type"}
    assert answer["access_token"] != first["access_token"]
    assert Channel(sim, answer).start().status == 200
    assert refresh(sim, first["refresh_token"]).status == 200


def test_a_dead_refresh_token_says_so(sim: Sim) -> None:
    dead = (400, "invalid_grant", "Token has been expired or revoked.")
    token = granted(sim)["refresh_token"]

    assert refused(refresh(sim, "1//0unknown")) == dead
    sim.advance(15_768_000)  # six months unused
    assert refused(refresh(sim, token)) == dead


def test_a_used_refresh_token_lives_on(sim: Sim) -> None:
    token = granted(sim)["refresh_token"]

    for _ in range(3):
        sim.advance(15_000_000)
        assert refresh(sim, token).status == 200


@pytest.mark.parametrize("whole", [True, False])
def test_in_testing_mode_refresh_tokens_live_seven_days(sim: Sim, *, whole: bool) -> None:
    if whole:
        knobs(sim, testing_mode=True)
    else:
        channel(sim, "ana", testing=True)

    answer = granted(sim)

    assert answer["refresh_token_expires_in"] == 604799
    sim.advance(604_798)
    assert refresh(sim, answer["refresh_token"]).status == 200
    sim.advance(1)
    assert refused(refresh(sim, answer["refresh_token"]))[1] == "invalid_grant"


def test_the_hundred_and_first_refresh_token_kills_the_first(sim: Sim) -> None:
    first = granted(sim)["refresh_token"]
    second = granted(sim)["refresh_token"]
    for _ in range(99):
        granted(sim)

    assert refused(refresh(sim, first))[1] == "invalid_grant"
    assert refresh(sim, second).status == 200


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
def test_revoking_one_token_ends_the_whole_projects_access(sim: Sim, which: str) -> None:
    app(sim, {"client_id": "sibling"}, client_secret="s")
    sibling = channel(sim, "ana", client_id="sibling")
    answer = granted(sim)

    assert sim.form("/youtube/revoke", {"token": answer[which]}).status == 200

    assert reason(Channel(sim, answer).start()) == (401, "authError")
    assert reason(sibling.start()) == (401, "authError")
    assert refused(refresh(sim, answer["refresh_token"]))[1] == "invalid_grant"
    assert refused(sim.form("/youtube/revoke", {"token": answer[which]}))[:2] == (400, "invalid_token")
    assert refused(sim.form("/youtube/revoke", {}))[:2] == (400, "invalid_request")


def test_the_token_endpoint_takes_forms_only(sim: Sim) -> None:
    answer = sim.send("POST", "/youtube/token", body=b"{}", headers={"Content-Type": "application/json"})

    assert refused(answer)[:2] == (400, "invalid_request")
    twice = sim.send("POST", "/youtube/token", body=b"a=1&a=2", headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert refused(twice)[:2] == (400, "invalid_request")
