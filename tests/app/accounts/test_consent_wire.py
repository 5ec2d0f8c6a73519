"""From the consent page to an account that works, over real HTTP, against the simulator's pages and token endpoints."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import urllib3

from app.accounts.consenting import consented
from clipcast.errors import ConfigurationError, Throttled
from clipcast.platforms.base import Answer, AnyPlatform, Credentials, Request
from clipcast.platforms.consent import Consent, ConsentRefused, Linkable
from clipcast.platforms.registry import simulated_platforms
from clipcast.platforms.wire import Wire
from clipcast_simulator.server import SimulatorServer
from clipcast_simulator.settings import quiet

REDIRECT = "http://127.0.0.1:8765/oauth/{platform}/callback"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
SECRET = "clipcast-simulator-secret"

APPS = {
    ("tiktok", ""): {"client_key": "awclipcastsimulator", "client_secret": SECRET},
    ("instagram", "instagram"): {"app_id": "17000000000000001", "app_secret": SECRET},
    ("instagram", "facebook"): {"app_id": "17000000000000002", "app_secret": SECRET},
    ("youtube", ""): {"client_id": "100000000001-clipcastsimulator.apps.googleusercontent.com", "client_secret": f"GOCSPX-{SECRET}"},
}
LOGINS = list(APPS)
#: A permission that each platform's owner may untick, and a word of the sentence that says what it is for.
UNTICKED = {
    ("tiktok", ""): ("video.upload", "inbox"),
    ("instagram", "instagram"): ("instagram_business_content_publish", "publish"),
    ("instagram", "facebook"): ("pages_show_list", "Pages"),
    ("youtube", ""): ("https://www.googleapis.com/auth/youtube.readonly", "channel"),
}


class NoMedia:
    """Linking sends no files."""

    def read_range(self, media_id: str, start: int, stop: int) -> Any:
        """Never asked for."""
        raise AssertionError(media_id, start, stop)

    def url(self, media_id: str) -> str:
        """Never asked for."""
        raise AssertionError(media_id)


@dataclass(frozen=True)
class World:
    """A simulator, and somebody who connects accounts with it."""

    url: str
    wire: Wire
    platform: AnyPlatform
    app: Credentials
    consent: Consent

    def send(self, request: Request, access_token: str = "") -> Answer:
        """One request, as the product sends it."""
        return self.wire.send(request, media=NoMedia(), access_token=access_token)

    def asked(self) -> str:
        """The address that the owner's browser is sent to."""
        return self.platform.consent_url(self.app, self.consent)

    def link(self, callback: dict[str, str]) -> Sequence[Linkable]:
        """Carry out what `linking` asks for."""
        linking = self.platform.linking(self.app, self.consent, callback, datetime.now(UTC))
        request = next(linking)
        try:
            while True:
                request = linking.send(self.send(request))
        except StopIteration as end:
            return list(end.value)

    def account(self, username: str, **settings: object) -> Any:
        """Make an account in the simulator."""
        return self.control("PUT", f"{self.platform.name}/accounts/{username}", settings)

    def control(self, method: str, path: str, content: object) -> Any:
        """Ask the simulator's control resource."""
        answer = urllib3.request(method, f"{self.url}/_simulator/{path}", json=content)
        assert answer.status == 200, answer.data.decode()
        return json.loads(answer.data)


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with SimulatorServer(tmp_path_factory.mktemp("simulator"), quiet()) as server:
        yield server.url


@pytest.fixture(params=LOGINS, ids=lambda pair: "-".join(filter(None, pair)))
def login(request: pytest.FixtureRequest) -> tuple[str, str]:
    found: tuple[str, str] = request.param
    return found


@pytest.fixture
def enter(simulator: str) -> Iterator[Callable[[tuple[str, str]], World]]:
    """Steps into a world in which nobody has done anything yet."""
    urllib3.request("POST", f"{simulator}/_simulator/reset")
    with closing(Wire()) as wire:

        def world(login: tuple[str, str]) -> World:
            platform = simulated_platforms(simulator)[login[0]]
            consent = Consent(REDIRECT.format(platform=login[0]), "state-of-this-browser", VERIFIER, login[1])
            return World(simulator, wire, platform, Credentials(APPS[login]), consent)

        yield world


@pytest.fixture
def world(enter: Callable[[tuple[str, str]], World], login: tuple[str, str]) -> World:
    return enter(login)


def test_a_consent_becomes_an_account_that_works(world: World) -> None:
    """The state comes back, the account is named, and its token is accepted for what a publication asks first."""
    callback = consented(world.asked(), "ana")
    assert callback["state"] == world.consent.state

    [linked] = world.link(callback)

    assert linked.username == "ana"
    credentials = linked.credentials
    assert not set(credentials.values) & {"client_secret", "app_secret"}
    assert world.platform.missing_credentials(Credentials({**world.app.values, **credentials.values})) == []
    assert world.platform.scopes_missing(credentials) == []
    facts = {name: credentials.get(name) for name in world.platform.account_facts}
    question = world.platform.account_request(facts)
    assert question is not None
    assert world.send(question, credentials.get("access_token")).status == 200


def test_connecting_again_gives_the_same_lasting_id(world: World) -> None:
    first, second = (world.link(consented(world.asked(), "ana"))[0] for _ in range(2))
    assert (first.external_id, first.username) == (second.external_id, second.username)
    assert first.credentials.get("refresh_token") != second.credentials.get("refresh_token") or not first.credentials.get("refresh_token")


def test_an_owner_who_says_no_is_told_what_that_means(world: World) -> None:
    callback = consented(world.asked(), "ana", decision="cancel")
    with pytest.raises(ConsentRefused, match="was not allowed to connect this account"):
        world.link(callback)


def test_an_unticked_permission_is_named_in_words(world: World, login: tuple[str, str]) -> None:
    scope, word = UNTICKED[login]
    callback = consented(world.asked(), "ana", untick=(scope,))
    with pytest.raises(ConsentRefused, match=rf"{word}.*leave everything ticked"):
        world.link(callback)


def test_a_code_is_good_once(world: World) -> None:
    callback = consented(world.asked(), "ana")
    world.link(callback)
    with pytest.raises(ConsentRefused, match="used already or has run out"):
        world.link(callback)


def test_a_code_that_waited_too_long_is_over(world: World) -> None:
    callback = consented(world.asked(), "ana")
    world.control("PUT", "clock", {"advance_s": 7200})
    with pytest.raises(ConsentRefused, match="used already or has run out"):
        world.link(callback)


def test_another_secret_is_the_settings_fault(world: World) -> None:
    """Whoever runs the server is told which variables; the owner did nothing wrong."""
    name = next(name for name in world.app.values if name.endswith("secret"))
    mistaken = replace(world, app=Credentials({**world.app.values, name: "another"}))
    callback = consented(world.asked(), "ana")
    with pytest.raises(ConfigurationError, match=f"CLIPCAST_{world.platform.name}_{name}".upper()):
        mistaken.link(callback)


def test_another_redirect_address_is_not_accepted(world: World) -> None:
    """What the consent page was told and what the exchange says must be the same to the letter."""
    callback = consented(world.asked(), "ana")
    mistaken = replace(world, consent=replace(world.consent, redirect_uri=f"{world.consent.redirect_uri}/"))
    with pytest.raises((ConfigurationError, ConsentRefused)):
        mistaken.link(callback)


def test_withdrawn_access_is_gone_at_the_platform(world: World) -> None:
    """Instagram's own login has no request for it, and says so by giving none."""
    [linked] = world.link(consented(world.asked(), "ana"))
    request = world.platform.revocation(Credentials({**world.app.values, **linked.credentials.values}))
    if request is None:
        assert linked.credentials.get("login") == "instagram"
        return
    world.platform.revoked(world.send(request))
    question = world.platform.account_request({name: linked.credentials.get(name) for name in world.platform.account_facts})
    assert question is not None
    assert world.send(question, linked.credentials.get("access_token")).status in (400, 401)


def test_a_linked_account_is_renewed_with_what_it_was_given(enter: Callable[[tuple[str, str]], World]) -> None:
    for login in (("tiktok", ""), ("youtube", "")):
        world = enter(login)
        [linked] = world.link(consented(world.asked(), "ana"))
        owned = replace(linked.credentials, values={**world.app.values, **linked.credentials.values})
        fresh = world.platform.refreshed(owned, world.send(world.platform.refresh_request(owned)), datetime.now(UTC))
        assert fresh.get("access_token") not in ("", linked.credentials.get("access_token"))
        assert world.platform.scopes_missing(fresh) == []


def test_instagrams_token_lasts_sixty_days(enter: Callable[[tuple[str, str]], World]) -> None:
    world = enter(("instagram", "instagram"))
    [linked] = world.link(consented(world.asked(), "ana"))
    assert linked.credentials.expires_at is not None
    assert timedelta(days=59) < linked.credentials.expires_at - datetime.now(UTC) <= timedelta(days=60)


def test_one_person_may_have_several_pages_to_choose_from(enter: Callable[[tuple[str, str]], World]) -> None:
    """One for each Page; what they share is whose consent it is."""
    world = enter(("instagram", "facebook"))
    for name in ("page_one", "page_two"):
        world.account(name, login="facebook", holder="pat")
    found = world.link(consented(world.asked(), "page_one"))
    assert [one.username for one in found] == ["page_one", "page_two"]
    assert len({one.external_id for one in found}) == len({one.credentials.get("access_token") for one in found}) == 2
    [shared] = {world.platform.shares_consent(one.credentials) for one in found}
    assert shared


def test_a_page_token_has_no_end(enter: Callable[[tuple[str, str]], World]) -> None:
    world = enter(("instagram", "facebook"))
    found = world.link(consented(world.asked(), "ana"))
    assert {one.credentials.expires_at for one in found} == {None}


def test_a_google_account_without_a_channel_is_told_to_make_one(enter: Callable[[tuple[str, str]], World]) -> None:
    world = enter(("youtube", ""))
    world.account("ana", channel=False)
    with pytest.raises(ConsentRefused, match=r"Create one at youtube\.com"):
        world.link(consented(world.asked(), "ana"))


def test_an_app_in_testing_is_found_out_at_once(enter: Callable[[tuple[str, str]], World]) -> None:
    """Google ends its refresh tokens after seven days, and says so only here."""
    world = enter(("youtube", ""))
    world.account("ana", testing=True)
    [linked] = world.link(consented(world.asked(), "ana"))
    assert linked.credentials.refresh_expires_at is not None
    assert linked.credentials.refresh_expires_at < datetime.now(UTC) + timedelta(days=7)


def test_a_banned_creator_is_not_connected(enter: Callable[[tuple[str, str]], World]) -> None:
    world = enter(("tiktok", ""))
    world.account("ana", banned=True)
    with pytest.raises(ConsentRefused, match="banned"):
        world.link(consented(world.asked(), "ana"))


def test_a_creator_whose_day_is_full_is_connected_tomorrow(enter: Callable[[tuple[str, str]], World]) -> None:
    """TikTok tells no name while a cap is full, and any other name might be somebody else's."""
    world = enter(("tiktok", ""))
    world.account("busy", daily_post_cap=0)
    with pytest.raises(Throttled, match="connect it again tomorrow"):
        world.link(consented(world.asked(), "busy"))
