"""From the consent page to a token of sixty days, for both logins; what ends a token and how it says so."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from simulator.instagram.client import Profile, bearer, error, profile
from simulator.wire import Answer, Sim

BACK = "http://127.0.0.1:8000/oauth/instagram/callback"
SECRET = "clipcast-simulator-secret"
IG = "17000000000000001"
FB = "17000000000000002"
DAY = 86_400
LONG = 5_184_000
ASK_IG = {
    "client_id": IG,
    "redirect_uri": BACK,
    "response_type": "code",
    "scope": "instagram_business_basic,instagram_business_content_publish",
    "state": "s t",
}
ASK_FB = ASK_IG | {"client_id": FB, "scope": "instagram_basic,instagram_content_publish,pages_show_list,pages_read_engagement"}
PAGES = {IG: "/instagram/oauth/authorize", FB: "/instagram/v26.0/dialog/oauth"}


def ask(sim: Sim, parameters: Mapping[str, str]) -> Answer:
    return sim.send("GET", f"{PAGES.get(parameters.get('client_id', IG), PAGES[IG])}?{urlencode(parameters)}")


def decide(sim: Sim, parameters: Mapping[str, str], decision: str = "authorize", untick: str = "", username: str = "ana") -> str:
    """Fill in the form as a browser does and return where it leads."""
    page = ask(sim, parameters)
    assert page.status == 200, page.body
    text = page.body.decode()
    fields = [(name, unescape(value)) for name, value in re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', text)]
    grants = [("grant", value) for value in re.findall(r'name="grant" value="([^"]+)"', text) if value != untick]
    (action,) = re.findall(r'action="([^"]+)"', text)
    form = [*fields, *grants, ("username", username), ("decision", decision)]
    answer = sim.send("POST", action, body=urlencode(form).encode(), headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status == 302, answer.body
    return answer.headers["location"]


def code_of(location: str) -> str:
    return dict(parse_qsl(urlsplit(location).query))["code"]


def exchange(sim: Sim, code: str, changes: Mapping[str, str] | None = None) -> Answer:
    form = {"client_id": IG, "client_secret": SECRET, "grant_type": "authorization_code", "redirect_uri": BACK, "code": code}
    form |= changes or {}
    return sim.form("/instagram/oauth/access_token", {name: value for name, value in form.items() if value})


def fetch(sim: Sim, path: str, **query: str) -> Answer:
    return sim.send("GET", f"/instagram/{path}?{urlencode(query)}")


def short_token(sim: Sim) -> str:
    return str(exchange(sim, code_of(decide(sim, ASK_IG))).json["data"][0]["access_token"])


def lengthen(sim: Sim, token: str, **changes: str) -> Answer:
    query = {"grant_type": "ig_exchange_token", "client_secret": SECRET, "access_token": token} | changes
    return fetch(sim, "access_token", **query)


def refresh(sim: Sim, token: str) -> Answer:
    return fetch(sim, "refresh_access_token", grant_type="ig_refresh_token", access_token=token)


class TestConsent:
    def test_instagram_leads_back_with_a_code_and_a_tail(self, sim: Sim) -> None:
        location = urlsplit(decide(sim, ASK_IG))

        assert location._replace(query="", fragment="").geturl() == BACK
        assert (dict(parse_qsl(location.query))["state"], location.fragment) == ("s t", "_")

    def test_facebook_leads_back_without_the_tail(self, sim: Sim) -> None:
        assert urlsplit(decide(sim, ASK_FB)).fragment == ""

    def test_a_refusal_says_so(self, sim: Sim) -> None:
        ig = dict(parse_qsl(urlsplit(decide(sim, ASK_IG, "cancel")).query))
        fb = dict(parse_qsl(urlsplit(decide(sim, ASK_FB, "cancel")).query))

        assert (ig["error"], ig["error_reason"], ig["state"]) == ("access_denied", "user_denied", "s t")
        assert (fb["error"], fb["error_code"], fb["error_description"]) == ("access_denied", "200", "Permissions error")

    @pytest.mark.parametrize(
        "change",
        [
            {"client_id": "1"},
            {"redirect_uri": f"{BACK}/"},
            {"redirect_uri": "https://evil.example/"},
            {"response_type": "token"},
            {"scope": "instagram_business_content_publish"},
            {"scope": "business_basic"},
            {"scope": ""},
            {"code_challenge": "x"},
            {"force_reauth": "1"},
            {"force_authentication": "true"},
        ],
    )
    def test_bad_parameters_never_lead_back(self, sim: Sim, change: dict[str, str]) -> None:
        answer = ask(sim, ASK_IG | change)

        assert answer.status == 400
        assert "location" not in answer.headers

    def test_a_saved_configuration_stands_for_the_scopes(self, sim: Sim) -> None:
        asked = {name: value for name, value in ASK_FB.items() if name != "scope"} | {"config_id": "1"}

        assert "code" in dict(parse_qsl(urlsplit(decide(sim, asked)).query))

    def test_an_account_of_the_other_login_cannot_consent(self, sim: Sim, fay: Profile) -> None:
        with pytest.raises(AssertionError, match="username"):
            decide(sim, ASK_IG, username=fay.username)


class TestInstagramLogin:
    def test_a_code_becomes_a_token_of_an_hour(self, sim: Sim) -> None:
        answer = exchange(sim, code_of(decide(sim, ASK_IG)))

        (told,) = answer.json["data"]
        assert told["permissions"] == "instagram_business_basic,instagram_business_content_publish"
        assert told["access_token"].startswith("IGAA")
        assert fetch(sim, "v26.0/me", access_token=told["access_token"]).status == 200
        sim.advance(3600)
        assert error(fetch(sim, "v26.0/me", access_token=told["access_token"])) == (400, 190, 463)

    def test_multipart_is_taken_as_well(self, sim: Sim) -> None:
        code = code_of(decide(sim, ASK_IG))
        form = {"client_id": IG, "client_secret": SECRET, "grant_type": "authorization_code", "redirect_uri": BACK, "code": code}
        parts = "".join(f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in form.items())
        kind = {"Content-Type": "multipart/form-data; boundary=b"}

        assert sim.send("POST", "/instagram/oauth/access_token", body=f"{parts}--b--\r\n".encode(), headers=kind).status == 200

    def test_a_knob_makes_the_answer_flat(self, sim: Sim) -> None:
        sim.settings(instagram={"code_answer": "flat"})
        told = exchange(sim, code_of(decide(sim, ASK_IG))).json

        assert isinstance(told["user_id"], int)
        assert told["permissions"] == ["instagram_business_basic", "instagram_business_content_publish"]

    def test_unticked_scopes_are_missing(self, sim: Sim) -> None:
        location = decide(sim, ASK_IG, untick="instagram_business_content_publish")
        (told,) = exchange(sim, code_of(location)).json["data"]
        assert told["permissions"] == "instagram_business_basic"

        account = sim.control("GET", "/instagram/accounts")["accounts"][0]["instagram_account_id"]
        path = f"/instagram/v26.0/{account}/content_publishing_limit"
        assert error(sim.send("GET", path, headers=bearer(told["access_token"]))) == (403, 10, None)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"code": "{code}#_"}, "Matching code was not found or was already used"),
            ({"redirect_uri": "http://127.0.0.1:8001/oauth/instagram/callback"}, "Matching code was not found or was already used"),
            ({"client_secret": "wrong"}, "Error validating client secret"),
            ({"client_id": FB}, "Error validating client secret"),
            ({"grant_type": "authorisation_code"}, "Invalid grant_type"),
            ({"code": ""}, "The parameter code is required"),
            ({"scope": "x"}, "Unknown parameter scope"),
        ],
    )
    def test_the_code_exchange_refuses_in_the_second_shape(self, sim: Sim, change: dict[str, str], message: str) -> None:
        code = code_of(decide(sim, ASK_IG))

        answer = exchange(sim, code, {name: value.replace("{code}", code) for name, value in change.items()})

        assert (answer.status, answer.json) == (400, {"error_type": "OAuthException", "code": 400, "error_message": message})

    def test_a_code_serves_once_and_for_an_hour(self, sim: Sim) -> None:
        code, late = code_of(decide(sim, ASK_IG)), code_of(decide(sim, ASK_IG))
        assert exchange(sim, code).status == 200

        assert exchange(sim, code).status == 400
        sim.advance(3600)
        assert exchange(sim, late).status == 400

    def test_a_short_token_becomes_a_long_one(self, sim: Sim) -> None:
        short = short_token(sim)

        told = lengthen(sim, short).json

        assert (told["token_type"], told["expires_in"]) == ("bearer", LONG)
        assert told["access_token"] != short
        sim.advance(LONG - 1)
        assert fetch(sim, "v26.0/me", access_token=told["access_token"]).status == 200

    def test_what_cannot_be_lengthened(self, sim: Sim, ana: Profile) -> None:
        short = short_token(sim)

        for answer in (lengthen(sim, ana.token), lengthen(sim, short, client_secret="wrong")):
            assert error(answer) == (400, 100, None)
            assert answer.json["error"]["message"] == "Unsupported request - method type: get"
        sim.advance(3600)
        assert error(lengthen(sim, short)) == (400, 190, 463)

    def test_a_token_can_be_refreshed_after_a_day(self, sim: Sim, ana: Profile) -> None:
        assert error(refresh(sim, ana.token)) == (400, 190, None)
        sim.advance(DAY)

        told = refresh(sim, ana.token).json

        assert (told["expires_in"], told["token_type"]) == (LONG, "bearer")
        assert fetch(sim, "v26.0/me", access_token=ana.token).status == 200
        sim.advance(LONG - DAY)
        assert error(refresh(sim, ana.token)) == (400, 190, 463)
        assert fetch(sim, "v26.0/me", access_token=told["access_token"]).status == 200

    def test_the_knobs_of_refreshing(self, sim: Sim, ana: Profile) -> None:
        ana.settings(refresh_early_code=100, refresh_old="dies", refresh_private="refuse")
        shy = profile(sim, "shy", private=True)
        assert error(refresh(sim, ana.token)) == (400, 100, None)
        sim.advance(DAY)

        assert error(refresh(sim, shy.token)) == (403, 10, None)
        assert refresh(sim, ana.token).status == 200
        assert error(fetch(sim, "v26.0/me", access_token=ana.token)) == (400, 190, 467)

    def test_a_token_without_the_basic_permission_cannot_be_refreshed(self, sim: Sim) -> None:
        bare = profile(sim, scopes=["instagram_business_content_publish"])
        sim.advance(DAY)

        assert error(refresh(sim, bare.token)) == (403, 10, None)

    def test_me_tells_the_account(self, ana: Profile) -> None:
        (told,) = ana.get("me", fields="user_id,username,account_type,id").json["data"]
        assert (told["user_id"], told["username"], told["account_type"]) == (ana.id, "ana", "BUSINESS")
        assert told["id"] != ana.id

        ana.settings(me_answer="flat")
        assert ana.get("me", fields="username").json["username"] == "ana"


class TestFacebookLogin:
    def exchange(self, sim: Sim, **query: str) -> Answer:
        return fetch(sim, "v26.0/oauth/access_token", **({"client_id": FB, "client_secret": SECRET} | query))

    def test_from_a_code_to_a_page_token_without_end(self, sim: Sim) -> None:
        code = code_of(decide(sim, ASK_FB, username="fay"))
        short = self.exchange(sim, redirect_uri=BACK, code=code).json
        assert (short["token_type"], short["expires_in"]) == ("bearer", 7200)

        long = self.exchange(sim, grant_type="fb_exchange_token", fb_exchange_token=short["access_token"]).json
        assert long["expires_in"] == LONG
        fields = "id,name,access_token,tasks,instagram_business_account{id,username}"
        (page,) = fetch(sim, "v26.0/me/accounts", access_token=long["access_token"], fields=fields, limit="100").json["data"]

        assert page["instagram_business_account"]["username"] == "fay"
        assert "CREATE_CONTENT" in page["tasks"]
        sim.advance(10 * LONG)
        account = page["instagram_business_account"]["id"]
        assert fetch(sim, f"v26.0/{account}/media", access_token=page["access_token"]).status == 200

    def test_codes_refuse_with_their_subcodes(self, sim: Sim) -> None:
        used, late = code_of(decide(sim, ASK_FB)), code_of(decide(sim, ASK_FB))
        assert self.exchange(sim, redirect_uri=BACK, code=used).status == 200

        assert error(self.exchange(sim, redirect_uri=BACK, code=used)) == (400, 100, 36009)
        assert error(self.exchange(sim, redirect_uri=f"{BACK}/", code=late)) == (400, 100, None)
        assert error(self.exchange(sim, redirect_uri=BACK, code=late, client_secret="wrong")) == (400, 100, None)
        sim.advance(600)
        assert error(self.exchange(sim, redirect_uri=BACK, code=late)) == (400, 100, 36007)
        assert error(self.exchange(sim, redirect_uri=BACK, code="unknown")) == (400, 100, None)

    def test_one_person_may_hold_several_pages(self, sim: Sim, fay: Profile) -> None:
        gil = profile(sim, "gil", login="facebook", holder="fay")
        pages = fay.get("me/accounts", fay.credentials["user_token"], fields="instagram_business_account").json["data"]

        assert [page["instagram_business_account"]["id"] for page in pages] == [fay.id, gil.id]
        assert fay.get(f"{gil.id}/media", fay.credentials["user_token"]).status == 200
        assert error(fay.get(f"{gil.id}/media")) == (400, 100, 33)

    def test_a_page_can_be_read_by_its_id(self, fay: Profile) -> None:
        told = fay.get(fay.credentials["page_id"], fields="name,access_token,instagram_business_account").json

        assert told["access_token"] == fay.token
        assert told["instagram_business_account"] == {"id": fay.id}

    def test_permissions_can_be_listed_and_taken_back(self, sim: Sim, fay: Profile) -> None:
        user = fay.credentials["user_token"]
        listed = fay.get("me/permissions", user).json["data"]
        assert {"permission": "instagram_content_publish", "status": "granted"} in listed

        assert sim.send("DELETE", "/instagram/v26.0/me/permissions", headers=bearer(user)).json == {"success": True}

        assert error(fay.get("me", user)) == (400, 190, 458)
        assert error(fay.get(f"{fay.id}/media")) == (400, 190, 458)

    def test_a_token_can_be_inspected(self, sim: Sim, fay: Profile) -> None:
        def inspect(token: str) -> Any:
            return fetch(sim, "v26.0/debug_token", input_token=token, access_token=f"{FB}|{SECRET}").json["data"]

        assert (inspect(fay.token)["type"], inspect(fay.token)["expires_at"], inspect(fay.token)["is_valid"]) == ("PAGE", 0, True)
        assert inspect(fay.credentials["user_token"])["type"] == "USER"
        sim.control("POST", "/instagram/accounts/fay/revoke")
        assert inspect(fay.token)["error"]["subcode"] == 458
        assert inspect("nonsense")["is_valid"] is False
        assert error(fetch(sim, "v26.0/debug_token", input_token=fay.token, access_token=f"{FB}|wrong")) == (400, 190, None)

    def test_a_proof_must_be_right_and_may_be_required(self, sim: Sim, fay: Profile, ana: Profile) -> None:
        good = hmac.new(SECRET.encode(), fay.token.encode(), hashlib.sha256).hexdigest()
        assert fay.get("me", appsecret_proof=good).status == 200
        assert error(fay.get("me", appsecret_proof="0" * 64)) == (400, 104, None)
        assert error(ana.get("me", appsecret_proof=good)) == (400, 100, None)

        sim.control("PUT", f"/instagram/apps/{FB}", {"requires_proof": True})

        assert error(fay.get("me")) == (400, 100, None)
        assert fay.get("me", appsecret_proof=good).status == 200


class TestTokens:
    def test_an_account_is_put_again_with_the_same_tokens(self, sim: Sim, ana: Profile, fay: Profile) -> None:
        assert profile(sim, "ana").credentials == ana.credentials
        assert profile(sim, "fay").credentials == fay.credentials
        assert (ana.credentials["login"], ana.credentials["client_key"]) == ("instagram", ana.credentials["app_id"])
        assert {"page_token", "user_token"} <= fay.credentials.keys()

    @pytest.mark.parametrize("login", ["instagram", "facebook"])
    def test_an_ended_token_is_replaced_by_putting_the_account(self, sim: Sim, login: str) -> None:
        who = profile(sim, login=login)
        sim.control("POST", "/instagram/accounts/ana/expire-token")
        assert error(who.get("me")) == (400, 190, 463)

        again = profile(sim)

        assert again.token != who.token
        assert again.get("me").status == 200

    @pytest.mark.parametrize(("reason", "subcode"), [("removed", 458), ("checkpointed", 459), ("password", 460), ("role", 492)])
    def test_a_dead_token_says_why(self, sim: Sim, ana: Profile, reason: str, subcode: int) -> None:
        sim.control("POST", "/instagram/accounts/ana/revoke", {"reason": reason})

        assert error(ana.get("me")) == (400, 190, subcode)

    def test_an_expired_token_may_have_subcode_zero(self, sim: Sim, ana: Profile) -> None:
        ana.settings(expired_subcode=0)
        sim.advance(LONG)

        assert error(ana.get("me")) == (400, 190, 0)

    def test_no_token_and_a_foreign_one(self, sim: Sim) -> None:
        assert error(sim.send("GET", "/instagram/v26.0/me")) == (400, 104, None)
        assert error(sim.send("GET", "/instagram/v26.0/me", headers=bearer("IGAAnonsense"))) == (400, 190, None)

    def test_two_tokens_must_be_one(self, ana: Profile) -> None:
        assert ana.get("me", access_token=ana.token).status == 200
        assert error(ana.get("me", access_token="other")) == (400, 100, None)

    def test_a_restricted_account_can_do_nothing(self, sim: Sim, ana: Profile, jpeg_url: str) -> None:
        container = ana.container(image_url=jpeg_url)
        profile(sim, restricted=True)

        assert error(ana.create(image_url=jpeg_url)) == (400, 25, 2207050)
        assert error(ana.publish(container)) == (400, 25, 2207050)
        assert error(ana.get(container)) == (400, 25, 2207050)

    @pytest.mark.parametrize(
        ("scopes", "login"),
        [
            (["instagram_business_basic"], "instagram"),
            (["instagram_basic", "pages_read_engagement"], "facebook"),
            (["instagram_basic", "instagram_content_publish"], "facebook"),
        ],
    )
    def test_publishing_needs_its_permissions(self, sim: Sim, scopes: list[str], login: str, jpeg_url: str) -> None:
        assert error(profile(sim, login=login, scopes=scopes).create(image_url=jpeg_url)) == (403, 10, None)


class TestControl:
    @pytest.mark.parametrize(
        ("path", "content"),
        [
            ("/instagram/accounts/ana", {"nickname": "A"}),
            ("/instagram/accounts/Ana", {}),
            ("/instagram/accounts/ana", {"login": "threads"}),
            ("/instagram/accounts/ana", {"instagram_account_id": "1"}),
            ("/instagram/accounts/ana", {"scopes": ["video.publish"]}),
            ("/instagram/accounts/ana", {"app_id": FB}),
            ("/instagram/apps/1", {"audited": True}),
        ],
    )
    def test_it_is_strict(self, sim: Sim, path: str, content: Any) -> None:
        assert sim.try_control("PUT", path, content).status == 400
        assert sim.control("GET", "/instagram/accounts")["accounts"] == []

    def test_prefixes_are_taken_and_mean_nothing(self, sim: Sim, ana: Profile) -> None:
        path = f"/instagram/apps/{ana.credentials['client_key']}/prefixes"

        assert sim.control("POST", path, {"prefix": "https://cdn.example.com/u/"})["prefix"] == "https://cdn.example.com/u/"
        assert sim.try_control("POST", "/instagram/apps/1/prefixes", {"prefix": "https://x/"}).status == 404

    def test_apps_can_be_added(self, sim: Sim) -> None:
        sim.control("PUT", "/instagram/apps/1700", {"app_secret": "s", "redirect_uris": ["https://app.example/back"]})
        mine = profile(sim, app_id="1700")

        assert (mine.credentials["app_id"], mine.credentials["app_secret"]) == ("1700", "s")
        assert [app["app_id"] for app in sim.control("GET", "/instagram/apps")["apps"]] == ["1700", IG, FB]

    def test_an_account_id_belongs_to_one(self, sim: Sim, ana: Profile) -> None:
        assert sim.try_control("PUT", "/instagram/accounts/bo", {"instagram_account_id": ana.id}).status == 409
