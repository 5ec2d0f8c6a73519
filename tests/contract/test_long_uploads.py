"""Publications that outlive their token: it is renewed, by whoever comes first, and they go on where they were."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import pytest

from clipcast.accounts import store as accounts
from clipcast.accounts.credentials import get_account_credentials, set_account_credentials
from clipcast.publications import claims
from clipcast.publications.leases import Lease
from clipcast.publications.preflight import preflight
from clipcast.publications.publishing import PublishRequest
from clipcast.publications.states import SUCCESS
from contract.bench import Bench, metadata_of
from contract.platforms import INSTAGRAM, PlatformUnderTest

LONG: Final = timedelta(hours=4)
PACE: Final = {"youtube": timedelta(minutes=7)}
"""How much time passes between any two things that the driver does; 12 minutes, but for Google's tokens, which end within the hour."""
ROUND: Final = timedelta(minutes=30)
LEFT: Final = timedelta(hours=2)
"""What is left of the token when the publication begins."""
LIVES: Final = {"tiktok": timedelta(hours=24), "instagram": timedelta(days=60)}
CASES: Final = {
    "tiktok": ("direct", "large"),
    "instagram": ("reel by URL", "video"),
    "instagram by Facebook": ("reel", "video"),
    "youtube": ("video", "large"),
}


def publish_slowly(bench: Bench, platform: PlatformUnderTest, *, with_upkeep: bool) -> None:
    """Publish while four hours pass, with or without the rounds that look after tokens; then it must be out, once and whole."""
    name, clip = CASES[platform.title]
    flow = platform.flow(name).with_clips(clip)
    if platform.name in LIVES and platform.refresh_operation:
        bench.advance((LIVES[platform.name] - LEFT).total_seconds())
    for _ in range(8 if platform.name == "youtube" else 0):
        bench.script("upload.chunk", "503")  # its few requests would be over too soon
    publication_id, began, rounds = bench.publish(flow), bench.clock(), 0

    def time_passes() -> None:
        nonlocal rounds
        bench.interruption.countdown = 1
        if bench.clock() - began < LONG:
            bench.advance(PACE.get(platform.name, timedelta(minutes=12)).total_seconds())
        if with_upkeep and bench.clock() - began >= ROUND * (rounds + 1):
            rounds += 1
            bench.product.upkeep.refresh_expiring()

    bench.at_moment(1, time_passes)
    for _ in range(200):
        row = bench.row(publication_id)
        if row.state in SUCCESS or row.next_action_at is None:
            break
        bench.advance(max(0.0, (row.next_action_at - bench.clock()).total_seconds()))
        bench.world.settle()
        with bench.product.db.writing() as session:
            [claimed] = claims.claim(session, bench.clock(), 1, owner="the test", only=[publication_id])
        bench.product.driver.drive(Lease(publication_id, claimed.token))
    bench.interruption.countdown = 0
    bench.check_published_once(publication_id, flow)
    assert platform.title == "instagram by Facebook" or bench.clock() - began >= LONG
    assert bench.account().status == "active"


RENEWALS: Final = {"tiktok": (1, 1), "instagram": (1, 1), "instagram by Facebook": (0, 0), "youtube": (3, 8)}
"""How many renewals it takes, at least and at most: Google's tokens last an hour, Page tokens have no end and no renewal."""


@pytest.mark.in_process("time passes within the driver's own steps")
def test_a_four_hour_upload_outlives_its_token(bench: Bench, platform: PlatformUnderTest) -> None:
    """The half-hourly rounds renew it, also Instagram's, which nothing renews once it is dead."""
    publish_slowly(bench, platform, with_upkeep=True)
    least, most = RENEWALS[platform.title]
    assert least <= renewals(bench, platform) <= most


@pytest.mark.in_process("time passes within the driver's own steps")
def test_a_token_that_dies_under_an_upload_is_renewed_on_demand(bench: Bench, platform: PlatformUnderTest) -> None:
    """No rounds, as when only `clipcast publish` runs: each dead token costs one refusal and one renewal, and the upload goes on."""
    if platform is INSTAGRAM:
        return  # dead is dead: see the rounds above
    publish_slowly(bench, platform, with_upkeep=False)
    least, most = RENEWALS[platform.title]
    assert least <= renewals(bench, platform) <= most


def renewals(bench: Bench, platform: PlatformUnderTest) -> int:
    """How often the platform was asked for a new token."""
    return bench.calls(platform.refresh_operation) if platform.refresh_operation else 0


def test_preflight_says_that_the_connection_ends_before_the_post(bench: Bench, platform: PlatformUnderTest) -> None:
    """YouTube's seven days in testing, TikTok's year, a Page token with an end: a warning, because the owner can still act."""
    stored = get_account_credentials(bench.product.db, bench.account_id, bench.product.vault)
    week = bench.clock() + timedelta(days=7)
    ending = replace(stored, refresh_expires_at=week) if platform.refresh_operation else replace(stored, expires_at=week)
    set_account_credentials(bench.product.db, bench.account_id, ending, bench.product.vault, bench.clock())
    is_lasting = platform is INSTAGRAM
    assert warnings(bench, platform, week - timedelta(hours=1)) == []
    assert warnings(bench, platform, week + timedelta(hours=1)) == ([] if is_lasting else ["connection_ends_before"])


def test_preflight_says_what_goes_wrong_with_the_account(bench: Bench, platform: PlatformUnderTest) -> None:
    with bench.product.db.writing() as session:
        accounts.get_for_update(session, bench.account_id).warning = "Its token could not be renewed."
    assert warnings(bench, platform, bench.clock() + timedelta(hours=1)) == ["account_warning"]


def warnings(bench: Bench, platform: PlatformUnderTest, at: datetime) -> list[str]:
    """What preflight says of the account's connection; nothing of that blocks."""
    flow = platform.flow(CASES[platform.title][0])
    request = PublishRequest(
        clip_id=bench.shelf[flow.clips[0]].id,
        platform=platform.name,
        social_account_id=bench.account_id,
        metadata=metadata_of(flow, bench.shelf, "caption"),
        scheduled_at=at,
    )
    found = preflight(bench.product.db, bench.product.connections, bench.product.platforms, request, bench.clock())
    ours = [problem for problem in found if problem.code in {"connection_ends_before", "account_warning"}]
    assert not any(problem.blocking for problem in ours)
    return [problem.code for problem in ours]
