"""Publications as a resource: looking at them, looking before them, cancelling, asking; and the ledger."""

from pathlib import Path
from typing import Any

import pytest

from app.api.calling import Api, World, order, served, until, written
from clipcast.api.app import create_app
from clipcast.clips.sample import make_sample_image
from clipcast.db.engine import Database
from clipcast.settings import load_settings
from clipcast.system import Clipcast
from clipcast_simulator.server import SimulatorServer
from conftest import MovableClock


@pytest.fixture
def clip_id(api: Api, video: Path) -> str:
    return api.upload(video)


def asked(api: Api, clip_id: str, account_id: str | None = None, **metadata: object) -> str:
    """The id of a publication that nobody waited for."""
    return str(api("POST", "/publishing/publish?wait_s=0", order(clip_id, account_id, **metadata)).json["publish_log_id"])


def test_what_is_withdrawn_in_time_is_never_published(idle_api: Api, video: Path) -> None:
    publication = asked(idle_api, idle_api.upload(video))

    first, second = (idle_api("POST", f"/publications/{publication}/cancellation") for _ in range(2))

    assert (first.status, first.json["status"], first.json["next_action_at"]) == (200, "cancelled", None)
    assert (second.status, second.json) == (200, first.json), "cancelling twice is cancelling once"
    again = idle_api("POST", f"/publications/{publication}/attempts")
    assert (again.status, again.code) == (409, "conflict")
    assert idle_api("POST", f"/publications/{publication}/checks").status == 200


def test_a_cancelled_publication_is_an_unsuccessful_answer(idle_api: Api, video: Path) -> None:
    clip_id = idle_api.upload(video)
    body, key = order(clip_id), {"Idempotency_Key": "k-1"}
    publication = idle_api("POST", "/publishing/publish?wait_s=0", body, **key).json["publish_log_id"]
    idle_api("POST", f"/publications/{publication}/cancellation")

    answer = idle_api("POST", "/publishing/publish", body, **key)

    assert (answer.status, answer.json["success"], answer.json["status"]) == (200, False, "cancelled")


def test_what_is_published_cannot_be_withdrawn(api: Api, clip_id: str, account_id: str) -> None:
    publication = api("POST", "/publishing/publish", order(clip_id, account_id)).json["publish_log_id"]

    refused = api("POST", f"/publications/{publication}/cancellation")

    assert (refused.status, refused.code) == (409, "conflict")
    assert "published" in refused.json["detail"]
    assert api("POST", f"/publications/{publication}/checks").status == 200
    undecided = api("POST", f"/publications/{publication}/decision", {"is_live": False})
    assert (undecided.status, undecided.code) == (409, "conflict")


def test_what_the_platform_fetches_itself_it_is_asked_to_stop(api: Api, clip_id: str, account_id: str, world: World) -> None:
    """TikTok has the whole video by then and says no: the post goes its way, and nobody pretends otherwise."""
    world.script("video.init", "stuck")
    publication = asked(api, clip_id, account_id, transfer="pull")
    until(api, f"/publications/{publication}", lambda row: row["state"] == "processing")

    answer = api("POST", f"/publications/{publication}/cancellation")

    assert (answer.status, answer.json["state"]) == (202, "processing")
    world.unstick(world.posts()[0]["publish_id"])
    assert until(api, f"/publications/{publication}", lambda row: row["status"] == "success")["external_url"]


def test_what_is_in_the_platforms_hands_is_too_late_to_cancel(api: Api, clip_id: str, account_id: str, world: World) -> None:
    world.script("video.init", "stuck")
    publication = asked(api, clip_id, account_id)
    until(api, f"/publications/{publication}", lambda row: row["state"] == "processing")

    answer = api("POST", f"/publications/{publication}/cancellation")

    assert (answer.status, answer.code) == (409, "conflict")
    assert "handed over to tiktok" in answer.json["detail"]


def test_the_platform_is_asked_when_somebody_wants_to_know(
    clipcast: Clipcast, api: Api, clip_id: str, account_id: str, world: World
) -> None:
    world.script("video.init", "stuck")
    publication = asked(api, clip_id, account_id)
    waiting = until(api, f"/publications/{publication}", lambda row: row["state"] == "processing")

    answer = api("POST", f"/publications/{publication}/checks")

    assert answer.status == 202
    until(api, f"/publications/{publication}", lambda row: row["updated_at"] > waiting["updated_at"])
    assert written(clipcast) == 1


def test_a_list_comes_in_pages_newest_first(idle_api: Api, video: Path) -> None:
    clip_id = idle_api.upload(video)
    made = [asked(idle_api, clip_id) for _ in range(5)]

    seen: list[str] = []
    address = "/publications?limit=2"
    while address:
        page = idle_api("GET", address).json
        seen += [row["id"] for row in page["publications"]]
        address = f"/publications?limit=2&before={page['next']}" if page["next"] else ""

    assert seen == made[::-1]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ("state=scheduled", True),
        ("state=failed", False),
        ("platform=tiktok", True),
        ("platform=youtube", False),
        ("clip_id=nothing", False),
        ("social_account_id=nobody", False),
        ("state=scheduled&platform=tiktok", True),
    ],
)
def test_a_list_can_be_narrowed(idle_api: Api, video: Path, filters: str, *, found: bool) -> None:
    asked(idle_api, idle_api.upload(video))

    assert bool(idle_api("GET", f"/publications?{filters}").json["publications"]) is found


def test_looking_first_says_everything_and_writes_nothing(
    clipcast: Clipcast, api: Api, clip_id: str, account_id: str, world: World
) -> None:
    """The account itself may not post to everybody, which only the platform knows; the caption is too long by the documentation."""
    world.set_account(private=True)

    answer = api("POST", "/publications/preflight", order(clip_id, account_id, caption="x" * 2201, privacy="public"))

    assert answer.status == 200
    assert answer.json["ok"] is False
    problems = {problem["code"]: problem for problem in answer.json["problems"]}
    assert {"caption_too_long", "privacy_not_offered"} <= problems.keys()
    assert problems["caption_too_long"]["field"] == "caption"
    assert written(clipcast) == 0
    assert world.posts() == []


def test_looking_first_finds_nothing_in_a_good_post(api: Api, clip_id: str, account_id: str) -> None:
    assert api("POST", "/publications/preflight", order(clip_id, account_id)).json == {"ok": True, "problems": []}


def test_what_cannot_be_asked_is_checked_by_the_documentation(api: Api, clip_id: str, account_id: str, world: World) -> None:
    """An account whose real platform does not answer: a warning, and the rules that are known."""
    secrets = {"client_key": "k", "client_secret": "s", "access_token": "t"}
    api("PATCH", f"/accounts/{account_id}", {"credentials": secrets})

    answer = api("POST", "/publications/preflight", order(clip_id, account_id, caption="x" * 2201))

    found = {problem["code"]: problem["blocking"] for problem in answer.json["problems"]}
    assert found == {"caption_too_long": True, "not_asked": False}
    assert world.posts() == []


def test_without_credentials_and_without_a_simulator_there_is_no_publishing(
    database_url: str, tmp_path: Path, clock: MovableClock, simulator: SimulatorServer, video: Path
) -> None:
    settings = load_settings(data_dir=tmp_path / "data", database_url=database_url, simulation="off", simulator_url=simulator.url)
    with Clipcast.open(settings, clock=clock) as clipcast, served(create_app(clipcast, with_worker=False)) as api:
        answer = api("POST", "/publications/preflight", order(api.upload(video)))

        [problem] = answer.json["problems"]
        assert (answer.json["ok"], problem["code"], problem["blocking"]) == (False, "configuration", True)
        assert "CLIPCAST_SIMULATION" in problem["sentence"]


def test_a_source_of_a_slideshow_is_not_published_on_its_own(api: Api, image: Path, video: Path, clipcast: Clipcast) -> None:
    source = api.upload(image)
    clipcast.library.mark_slideshow_sources(api.upload(video), [source])

    answer = api("POST", "/publishing/publish", order(source))

    assert (answer.status, answer.code) == (400, "invalid_request")
    assert "slideshow" in answer.json["detail"]


def test_a_photo_set_is_published_in_order(api: Api, tmp_path: Path, account_id: str, world: World) -> None:
    clip_ids = [api.upload(make_sample_image(tmp_path / f"{seed}.jpg", seed=seed)) for seed in (1, 2, 3)]

    answer = api("POST", "/publishing/publish", order(clip_ids[0], account_id, clip_ids=clip_ids, title="Three"))

    assert (answer.status, answer.json["success"]) == (200, True)
    [post] = world.posts()
    wanted = [api("GET", f"/clips/{clip_id}").json["sha256"] for clip_id in clip_ids]
    assert [image["sha256"] for image in post["images"]] == wanted


def test_the_ledger_tells_what_happened_in_order(api: Api, clip_id: str, account_id: str) -> None:
    publication = api("POST", "/publishing/publish", order(clip_id, account_id, caption="a secret caption")).json["publish_log_id"]

    events = api("GET", f"/ledger?publication_id={publication}").json["events"]

    names = [event["event"] for event in reversed(events)]
    assert names[:2] == ["publish_started", "publish_provider_fallback"]
    assert names[-1] == "publish_successful"
    assert {(event["entity_type"], event["entity_id"]) for event in events} == {("clip", clip_id)}
    assert {event["metadata"]["publish_log_id"] for event in events} == {publication}
    assert "secret caption" not in str(events)
    assert api("GET", "/ledger/verification").json == {"ok": True, "broken": []}


def test_the_ledger_can_be_narrowed_and_paged(idle_api: Api, video: Path) -> None:
    clip_id = idle_api.upload(video)
    made = [asked(idle_api, clip_id) for _ in range(3)]
    idle_api("POST", f"/publications/{made[0]}/cancellation")

    def events(filters: str) -> Any:
        return idle_api("GET", f"/ledger?{filters}").json

    assert len(events(f"entity_id={clip_id}")["events"]) == 4
    assert [event["event"] for event in events("event=publish_cancelled")["events"]] == ["publish_cancelled"]
    first = events("limit=3")
    rest = events(f"limit=3&before={first['next']}")
    assert (len(first["events"]), len(rest["events"]), rest["next"]) == (3, 1, None)
    assert events("entity_id=nothing") == {"events": [], "next": None}


def test_an_altered_ledger_is_found(idle_api: Api, video: Path, db: Database) -> None:
    """Somebody with the database's own password took an event off the end."""
    asked(idle_api, idle_api.upload(video))
    with db.writing() as session:
        session.connection().exec_driver_sql("UPDATE ledger_heads SET sequence = 2")

    answer = idle_api("GET", "/ledger/verification").json

    assert answer["ok"] is False
    assert answer["broken"][0]["sentence"].endswith(".")
