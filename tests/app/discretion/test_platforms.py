"""No secret leaves on the way to a platform and back, whatever it answers, if it answers at all.

A new way to go is one line in `WAYS`.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import pytest
from sqlalchemy import select, text

from app.accounts.wayfarer import Browser, query_of
from app.api.calling import served
from app.discretion.conftest import Way
from app.discretion.overhearing import SHAPES, echoing
from app.discretion.scene import Scene
from clipcast.accounts import pending
from clipcast.accounts.models import PendingLink
from clipcast.api.app import create_app
from clipcast.publications.states import SUCCESS, State
from clipcast.settings import Settings, load_settings
from clipcast.system import Clipcast
from contract.bench import Bench
from contract.carriers import Stepper
from contract.platforms import TIKTOK

LOGINS: Final = (("tiktok", ""), ("instagram", ""), ("instagram", "facebook"), ("youtube", ""))
GRANT: Final[Mapping[str, object]] = {
    "access_token": "a-token-that-has-the-shape-of-none-1",
    "refresh_token": "a-token-that-has-the-shape-of-none-2",
    "token_type": "bearer",
    "expires_in": 3600,
    "open_id": "an-open-id",
    "user_id": "17841400000000001",
}


def publishes(scene: Scene) -> None:
    for bench in scene.benches:
        assert scene.publish(bench) in SUCCESS
    assert re.search("publication.answered", scene.log.getvalue()), "debug messages are heard"


def is_refused(scene: Scene) -> None:
    for bench in scene.benches:
        flow = bench.platform.flows[0]
        bench.script(flow.failing or flow.decisive, f"fail:{bench.platform.final_reasons[0]}")
        assert scene.publish(bench) is State.FAILED


def meets_trouble(scene: Scene) -> None:
    """Throttled, broken, interrupted: whatever comes instead of an answer, in whatever form."""
    for bench in scene.benches:
        first = bench.platform.flows[0].requests[0]
        for fault, shape in (
            ("429", "object"),
            ("503", "html"),
            ("500", "string"),
            ("reset", "object"),
            ("accept-then-drop-answer", "text"),
        ):
            bench.script(first, fault, body=shape)
        scene.publish(bench)
    assert scene.world.unspent() == []


def refreshes_after_a_401(scene: Scene) -> None:
    for bench in scene.benches:
        if bench.platform.refresh_operation and bench.platform.revives:
            bench.script(bench.platform.flows[0].requests[0], "expire-token")
            assert scene.publish(bench) in SUCCESS
    assert "account.refreshed" in scene.log.getvalue()


def refreshes_by_hand(scene: Scene) -> None:
    for bench in scene.benches:
        scene.call("POST", f"/accounts/{bench.account_id}/refresh")
    scene.mark_stored()


def says_goodbye(scene: Scene) -> None:
    for bench in scene.benches:
        assert scene.call("POST", f"/accounts/{bench.account_id}/disconnection").status == 200


def talks_to_nobody(scene: Scene) -> None:
    with elsewhere(scene, "http://127.0.0.1:1") as benches:
        assert [tried(scene, bench) for bench in benches] == [True] * 4


def talks_to_a_server_without_tls(scene: Scene) -> None:
    with elsewhere(scene, scene.world.url.replace("http://", "https://")) as benches:
        assert [tried(scene, bench) for bench in benches] == [True] * 4


def talks_to_an_echo(scene: Scene) -> None:
    """It repeats every token, every link, every secret, and where a code is to stand ten thousand letters."""
    with echoing() as echo, elsewhere(scene, echo.url) as benches:
        for bench in benches:
            for _ in range(SHAPES // 2):
                tried(scene, bench)


def says_goodbye_to_an_echo(scene: Scene) -> None:
    with echoing() as echo, elsewhere(scene, echo.url) as benches:
        for bench in benches:
            scene.ear.hear("a farewell", bench.product.disconnector.revoke(bench.account_id))


def is_linked_by_consent(scene: Scene) -> None:
    """Code, state and verifier; the first two have to be in the addresses between browser and platform, and nowhere else."""
    for platform in ("tiktok", "instagram", "youtube"):
        scene.world.ask("PUT", f"{platform}/accounts/linked", {})
        with scene.browser() as browser:
            begun = begin(scene, browser, platform, "")
            back = browser.consent(begun, "linked")
            scene.ear.mark("code", query_of(back)["code"])
            for address, status in ((back.replace("state=", "state=x"), 400), (back, 303), (back, 400)):  # refused, done, replayed
                assert browser.open(address).status == status
    scene.mark_stored()


def is_linked_at_an_echo(scene: Scene) -> None:
    """A platform that repeats the code, the verifier and the app's secret to whoever trades them."""
    with echoing() as echo:
        consents_at(scene, echo.url)


def is_linked_at_an_echo_that_grants(scene: Scene) -> None:
    """A platform that gives tokens for the code, and then repeats those."""
    with echoing() as echo:
        for name in ("access_token", "refresh_token"):
            scene.ear.mark(name, str(GRANT[name]))
        echo.grant.update(GRANT)
        consents_at(scene, echo.url)


def meets_a_bug(scene: Scene) -> None:
    """A table that is gone, and a stored state that nobody can read: traces are logged, and hold nothing."""
    bench = scene.bench(TIKTOK)
    publication_id = bench.publish(bench.platform.flows[0])
    bench.step(publication_id)
    with scene.product.db.writing() as session:
        session.execute(text("UPDATE publications SET flow = '{}' WHERE id = :id"), {"id": publication_id})
        session.execute(text("ALTER TABLE pending_links RENAME TO hidden_links"))
    bench.step(publication_id)
    with scene.browser() as browser:
        assert browser.start("tiktok").status == 500
    with scene.product.db.writing() as session:
        session.execute(text("ALTER TABLE hidden_links RENAME TO pending_links"))
    assert "Traceback" in scene.log.getvalue()


WAYS: Final[Mapping[Way, tuple[str, ...]]] = {
    publishes: ("sqlite", "postgresql"),
    is_refused: ("sqlite",),
    meets_trouble: ("sqlite",),
    refreshes_after_a_401: ("sqlite",),
    refreshes_by_hand: ("sqlite",),
    says_goodbye: ("sqlite",),
    talks_to_nobody: ("sqlite",),
    talks_to_a_server_without_tls: ("sqlite",),
    talks_to_an_echo: ("sqlite", "postgresql"),
    says_goodbye_to_an_echo: ("sqlite",),
    is_linked_by_consent: ("sqlite", "postgresql"),
    is_linked_at_an_echo: ("sqlite",),
    is_linked_at_an_echo_that_grants: ("sqlite",),
    meets_a_bug: ("sqlite",),
}
"""The ways, and the databases on which each is gone: both where what is stored differs."""


@pytest.mark.parametrize(
    ("way", "database_url"),
    [pytest.param(way, database, id=f"{way.__name__}-{database}") for way, databases in WAYS.items() for database in databases],
    indirect=["database_url"],
)
def test_no_secret_leaves_on_the_way_to_a_platform(play: Callable[[Way], None], way: Way) -> None:
    play(way)


# What the ways have in common


@contextmanager
def installed_at(scene: Scene, url: str) -> Iterator[Clipcast]:
    """The same installation, for which every platform is at this address."""
    changes = {name: url for name in Settings.model_fields if re.match(r"(tiktok|instagram|youtube)_\w+_url", name)}
    with Clipcast.open(load_settings(**scene.product.settings.model_dump() | changes), clock=scene.clock) as product:
        yield product


@contextmanager
def elsewhere(scene: Scene, url: str) -> Iterator[list[Bench]]:
    """The accounts, for whom every platform is at this address."""
    benches = scene.benches
    with installed_at(scene, url) as product:
        stepper = Stepper(product, scene.clock, scene.world)
        yield [
            Bench(product, bench.platform, scene.world, scene.clock, bench.shelf, bench.account_id, bench.interruption, stepper)
            for bench in benches
        ]


def tried(scene: Scene, bench: Bench) -> bool:
    """Publish, refresh and ask what there is to ask; whether none of it went well."""
    published = scene.publish(bench, steps=2) in SUCCESS
    platform = bench.product.platforms[bench.platform.name]
    token = scene.stored(bench.account_id).get("access_token")
    refused = scene.hear_trouble(lambda: bench.product.connections.refresher.refresh(bench.account_id, platform, token))
    with served(create_app(bench.product, with_worker=False), key=scene.api.key) as api:
        api("GET", f"/accounts/{bench.account_id}/quota")
        api("POST", "/preflight", {"clip_id": bench.shelf["video"].id, "platform": platform.name, "social_account_id": bench.account_id})
        scene.ear.hear("what is told of limits", api.heard)
    return refused and not published


def consents_at(scene: Scene, url: str) -> None:
    """Come back to an installation for which the platforms are at this address, as a person and as a program, in every shape."""
    with installed_at(scene, url) as product, served(create_app(product, with_worker=False), key=scene.api.key) as api:
        for number, (platform, login) in enumerate(LOGINS * SHAPES):
            browser = Browser(api.url, api.key)
            state = query_of(begin(scene, browser, platform, login))["state"]
            code = scene.ear.mark("code", f"a-marked/code*v!{number:04}.s1")
            accepted = "application/json" if number % 2 else "text/html"
            page = browser.open(f"/oauth/{platform}/callback?code={code}&state={state}", Accept=accepted)
            assert page.status >= 400
            scene.ear.hear(f"the way back from {platform} {login}", f"{page.headers} {page.text}")
            browser.close()


def begin(scene: Scene, browser: Browser, platform: str, login: str) -> str:
    """Begin a consent, its state and verifier marked; the address of the platform's page."""
    begun = browser.start(platform, **({"login": login} if login else {}))
    assert begun.status == 303, begun.text
    scene.ear.mark("state", query_of(begun.location)["state"])
    with scene.product.db.reading() as session:
        [link] = session.scalars(select(PendingLink).where(PendingLink.used_at.is_(None)))
        scene.ear.mark("verifier", pending.opened(link, scene.product.vault).verifier)
    return begun.location
