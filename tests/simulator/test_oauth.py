"""The authorize page, the token endpoint with its hex PKCE and its rotations, and revoking."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest

from simulator.wire import Answer, Creator, Sim

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
HEX_CHALLENGE = "13d31e961a1ad8ec2f16b10c4c982e0876a878ad6df144566ee1894acb70f9c3"
BASE64_CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
CALLBACK = "http://127.0.0.1:8000/oauth/tiktok/callback"
CLIENT = {"client_key": "awclipcastsimulator", "client_secret": "clipcast-simulator-secret"}
ASK = {
    "client_key": "awclipcastsimulator",
    "scope": "user.info.basic,video.publish",
    "response_type": "code",
    "redirect_uri": CALLBACK,
    "state": "s t&te",
    "code_challenge": HEX_CHALLENGE,
    "code_challenge_method": "S256",
}


def ask(sim: Sim, changes: Mapping[str, str | None]) -> Answer:
    query = {name: value for name, value in (ASK | dict(changes)).items() if value is not None}
    return sim.send("GET", f"/tiktok/v2/auth/authorize/?{urlencode(query)}")


def decide(sim: Sim, page: Answer, **fields: str) -> dict[str, list[str]]:
    """Fill the page's form in as a browser would, and return what the callback is told."""
    html = page.body.decode()
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', html)
    granted = re.findall(r'name="grant" value="([^"]+)" checked', html)
    action = re.search(r'action="([^"]+)"', html)
    assert action is not None
    pairs = [(name, value.replace("&amp;", "&")) for name, value in hidden]
    pairs += [("grant", scope) for scope in granted if scope != fields.get("untick")]
    pairs += [(name, value) for name, value in fields.items() if name != "untick"]
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = sim.send("POST", action[1], body=urlencode(pairs).encode(), headers=headers)
    assert answer.status == 302
    location = urlsplit(answer.headers["location"])
    assert location._replace(query="").geturl() == CALLBACK
    return parse_qs(location.query)


def code_for(sim: Sim, username: str = "ana", **changes: str | None) -> str:
    (code,) = decide(sim, ask(sim, changes), username=username, decision="authorize")["code"]
    return code


def exchange(sim: Sim, code: str, /, **changes: str) -> Answer:
    form = CLIENT | {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    return sim.form("/tiktok/v2/oauth/token/", {k: v for k, v in (form | changes).items() if v})


def refresh(sim: Sim, token: str) -> Answer:
    return sim.form("/tiktok/v2/oauth/token/", CLIENT | {"grant_type": "refresh_token", "refresh_token": token})


def error(answer: Answer) -> str:
    assert set(answer.json) == {"error", "error_description", "log_id"}
    return str(answer.json["error"])


def test_consent_leads_to_tokens_that_work(sim: Sim) -> None:
    told = decide(sim, ask(sim, {}), username="ana", decision="authorize")
    assert (told["scopes"], told["state"]) == (["user.info.basic,video.publish"], ["s t&te"])
    assert told["code"][0].endswith("*v!5236.s1")

    granted = exchange(sim, told["code"][0])

    assert granted.json | {"access_token": "", "refresh_token": "", "open_id": ""} == {
        "access_token": "",
        "expires_in": 86_400,
        "open_id": "",
        "refresh_token": "",
        "refresh_expires_in": 31_536_000,
        "scope": "user.info.basic,video.publish",
        "token_type": "Bearer",
    }
    info = sim.call("/tiktok/v2/post/publish/creator_info/query/", token=granted.json["access_token"])
    assert info.data["creator_username"] == "ana"


def test_a_user_may_grant_less_than_was_asked(sim: Sim) -> None:
    told = decide(sim, ask(sim, {}), username="ana", decision="authorize", untick="video.publish")

    assert told["scopes"] == ["user.info.basic"]
    assert exchange(sim, told["code"][0]).json["scope"] == "user.info.basic"


def test_a_user_may_refuse(sim: Sim) -> None:
    told = decide(sim, ask(sim, {}), username="ana", decision="cancel")

    assert told["error"] == ["access_denied"]
    assert set(told) == {"error", "error_description", "state"}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"client_key": "awnobody"}, "client_key"),
        ({"client_id": "x"}, "client_id"),
        ({"redirect_uri": CALLBACK + "/"}, "redirect_uri"),
        ({"redirect_uri": "https://elsewhere.example/callback"}, "redirect_uri"),
        ({"response_type": "token"}, "response_type"),
        ({"scope": "user.info.basic,video.delete"}, "scope"),
        ({"scope": "user.info.basic video.publish"}, "scope"),
        ({"scope": None}, "scope"),
        ({"state": None}, "state"),
        ({"code_challenge": None}, "code_challenge"),
        ({"code_challenge_method": "plain"}, "code_challenge_method"),
        ({"disable_auto_auth": "yes"}, "disable_auto_auth"),
    ],
)
def test_a_bad_parameter_shows_a_page_that_names_it_and_does_not_redirect(sim: Sim, changes: dict[str, str | None], named: str) -> None:
    answer = ask(sim, changes)

    assert answer.status == 400
    assert f"<li>{named}</li>" in answer.body.decode()
    assert "errCode=" in answer.body.decode()


def test_a_scope_the_app_is_not_approved_for_fails_the_whole_login(sim: Sim) -> None:
    sim.app(scopes=["user.info.basic"])

    assert "<li>scope</li>" in ask(sim, {}).body.decode()


def test_pkce_can_be_optional_but_not_half(sim: Sim) -> None:
    sim.settings(tiktok={"pkce": "optional"})
    code = code_for(sim, code_challenge=None, code_challenge_method=None)

    assert error(exchange(sim, code)) == "invalid_request"
    assert "access_token" in exchange(sim, code, code_verifier="").json


def test_a_base64_challenge_shows_only_at_the_exchange(sim: Sim) -> None:
    answer = exchange(sim, code_for(sim, code_challenge=BASE64_CHALLENGE))

    assert error(answer) == "invalid_request"
    assert answer.json["error_description"] == "Code verifier or code challenge is invalid."


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_key": "awnobody"}, "invalid_client"),
        ({"code": "cut-off"}, "invalid_grant"),
        ({"redirect_uri": CALLBACK + "/"}, "invalid_request"),
        ({"redirect_uri": ""}, "invalid_request"),
        ({"code_verifier": "x" * 43}, "invalid_request"),
        ({"code_verifier": ""}, "invalid_request"),
        ({"client_id": "x"}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": ""}, "invalid_request"),
    ],
)
def test_a_wrong_exchange_is_refused_in_the_flat_shape(sim: Sim, changes: dict[str, str], word: str) -> None:
    answer = exchange(sim, code_for(sim), **changes)

    assert (answer.status, error(answer)) == (400, word)


def test_the_token_endpoint_wants_a_form(sim: Sim) -> None:
    answer = sim.send("POST", "/tiktok/v2/oauth/token/", body=b"{}", headers={"Content-Type": "application/json"})

    assert error(answer) == "invalid_request"


def test_a_code_works_once_and_for_minutes(sim: Sim) -> None:
    used, late = code_for(sim), code_for(sim)
    exchange(sim, used)
    assert error(exchange(sim, used)) == "invalid_grant"

    sim.advance(300)
    assert error(exchange(sim, late)) == "invalid_grant"


def test_a_knob_answers_errors_with_200(sim: Sim) -> None:
    sim.settings(tiktok={"oauth_error_status": 200})

    answer = refresh(sim, "rft.wrong")

    assert (answer.status, error(answer)) == (200, "invalid_grant")


@pytest.mark.parametrize(
    ("rotation", "is_same", "old_lives"), [("always", False, True), ("never", True, True), ("old_token_dies", False, False)]
)
def test_refresh_tokens_rotate_as_the_knob_says(sim: Sim, ana: Creator, rotation: str, *, is_same: bool, old_lives: bool) -> None:
    sim.settings(tiktok={"refresh_rotation": rotation})
    old = ana.credentials["refresh_token"]
    sim.advance(86_400)

    granted = refresh(sim, old).json

    assert (granted["refresh_token"] == old) == is_same
    assert granted["open_id"] == ana.credentials["open_id"]
    assert ("access_token" in refresh(sim, old).json) == old_lives
    assert sim.call("/tiktok/v2/post/publish/creator_info/query/", token=granted["access_token"]).code == "ok"


@pytest.mark.parametrize(("knob", "left_s"), [("extended", 31_536_000), ("fixed", 31_536_000 - 86_400)])
def test_a_knob_says_whether_refreshing_starts_the_year_anew(sim: Sim, ana: Creator, knob: str, left_s: int) -> None:
    sim.settings(tiktok={"refresh_life": knob})
    sim.advance(86_400)

    assert refresh(sim, ana.credentials["refresh_token"]).json["refresh_expires_in"] == left_s


def test_a_refresh_token_dies_after_a_year_and_belongs_to_its_client(sim: Sim, ana: Creator) -> None:
    sim.app("awother")
    other = {"client_key": "awother", "client_secret": "secret-of-awother", "grant_type": "refresh_token"}
    stolen = sim.form("/tiktok/v2/oauth/token/", other | {"refresh_token": ana.credentials["refresh_token"]})
    assert error(stolen) == "invalid_grant"

    sim.advance(31_536_000)
    assert error(refresh(sim, ana.credentials["refresh_token"])) == "invalid_grant"


def test_an_apps_own_token_cannot_post(sim: Sim) -> None:
    granted = sim.form("/tiktok/v2/oauth/token/", CLIENT | {"grant_type": "client_credentials"}).json

    assert granted["access_token"].startswith("clt.")
    assert granted["expires_in"] == 7200
    assert sim.call("/tiktok/v2/post/publish/creator_info/query/", token=granted["access_token"]).code == "access_token_invalid"


def test_revoking_answers_nothing_and_kills_both_tokens(sim: Sim, ana: Creator) -> None:
    answer = sim.form("/tiktok/v2/oauth/revoke/", CLIENT | {"token": ana.token})

    assert (answer.status, answer.body) == (200, b"")
    assert ana.info().code == "access_token_invalid"
    assert error(refresh(sim, ana.credentials["refresh_token"])) == "invalid_grant"
    assert error(sim.form("/tiktok/v2/oauth/revoke/", CLIENT | {"token": ana.token})) == "invalid_grant"


def test_the_callback_query_keeps_the_codes_tail_encoded(sim: Sim) -> None:
    page = ask(sim, {})
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.body.decode())
    fields = [(name, value.replace("&amp;", "&")) for name, value in hidden]
    body = urlencode([*fields, ("username", "ana"), ("grant", "user.info.basic"), ("decision", "authorize")]).encode()
    answer = sim.send("POST", "/tiktok/v2/auth/authorize/consent/", body=body)
    query = urlsplit(answer.headers["location"]).query

    assert "%2Av%215236.s1" in query
    assert dict(parse_qsl(query))["code"].endswith("*v!5236.s1")
