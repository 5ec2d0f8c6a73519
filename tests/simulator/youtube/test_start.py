"""The first request of an upload decides everything that can be known before a byte is sent."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from simulator.wire import Sim
from simulator.youtube.channel import RESOURCE, UPLOADS, Channel, app, channel, knobs, posts, reason

EMOJI = "\N{GRINNING FACE}"


def resource(section: str = "snippet", **fields: Any) -> dict[str, Any]:
    merged: dict[str, Any] = {**RESOURCE, section: {**RESOURCE.get(section, {}), **fields}}
    return merged


def test_a_session_is_a_200_without_body_and_an_absolute_location(sim: Sim, eva: Channel) -> None:
    answer = eva.start(headers={"X-Upload-Content-Length": "1000"})

    location = urlsplit(answer.headers["location"])
    assert (answer.status, answer.body) == (200, b"")
    assert f"{location.scheme}://{location.netloc}{location.path}" == f"{sim.url}{UPLOADS}/videos"
    asked = parse_qs(location.query)
    assert (asked["uploadType"], asked["part"]) == (["resumable"], ["snippet,status"])
    assert asked["upload_id"] == [answer.headers["x-guploader-uploadid"]]


def test_the_location_leads_back_the_way_the_client_came(sim: Sim, eva: Channel) -> None:
    port = urlsplit(sim.url).port

    location = eva.start(headers={"Host": f"localhost:{port}"}).headers["location"]

    assert location.startswith(f"http://localhost:{port}/youtube/upload/")


def test_nothing_is_visible_before_the_last_byte_and_a_repeated_start_is_harmless(sim: Sim, eva: Channel) -> None:
    first, second = eva.session(1000), eva.session(1000)

    assert first != second
    assert [(post["video_id"], post["published"], post["state"]) for post in posts(sim)] == [(None, False, "receiving")] * 2


def test_the_older_upload_path_starts_sessions_too(eva: Channel) -> None:
    path = UPLOADS.replace("/upload/", "/resumable/upload/")
    query = "uploadType=resumable&part=snippet,status"
    headers = {"Content-Type": "application/json"}

    answer = eva.send("POST", f"{path}/videos?{query}", body=b'{"snippet":{"title":"x"}}', headers=headers)

    assert answer.status == 200
    assert eva.put(answer.headers["location"], b"bytes", 0, 5).status == 201


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (resource(title=""), "invalidTitle"),
        (resource(title="  "), "invalidTitle"),
        (resource(title="a" * 101), "invalidTitle"),
        (resource(title=EMOJI * 51), "invalidTitle"),
        (resource(title="a < b"), "invalidTitle"),
        ({"snippet": {}, "status": {}}, "invalidTitle"),
        (resource(description="a" * 5001), "invalidDescription"),
        (resource(description="\u00e4" * 2501), "invalidDescription"),
        (resource(description="a > b"), "invalidDescription"),
        (resource(tags=["a" * 501]), "invalidTags"),
        (resource(tags=["a b" * 100, "c" * 198]), "invalidTags"),
        (resource(tags=["<b>"]), "invalidTags"),
        (resource(categoryId="18"), "invalidCategoryId"),
        (resource(categoryId="1000"), "invalidCategoryId"),
        (resource(defaultLanguage="not a language"), "invalidVideoMetadata"),
        (resource("status", privacyStatus="secret"), "invalidVideoMetadata"),
        (resource("status", license="mit"), "invalidVideoMetadata"),
        (resource("status", publishAt="2026-11-02T12:00:00Z", privacyStatus="public"), "invalidPublishAt"),
        (resource("status", publishAt="2026-11-01T11:59:59Z"), "invalidPublishAt"),
        (resource("status", publishAt="2026-11-02T12:00:00"), "invalidPublishAt"),
        (resource("status", publishAt="tomorrow"), "invalidPublishAt"),
        (resource("status", publishAt="2026-13-02T12:00:00Z"), "invalidPublishAt"),
        (resource(title=5), "invalid"),
        (resource(tags=[5]), "invalid"),
        (resource("status", embeddable="yes"), "invalid"),
        ({"snippet": "title"}, "invalid"),
        (b"{", "parseError"),
        (b"[]", "parseError"),
    ],
)
def test_bad_metadata_is_refused_with_its_reason(sim: Sim, eva: Channel, body: Any, why: str) -> None:
    assert reason(eva.start(body)) == (400, why)
    assert posts(sim) == []


def test_the_refusal_says_where_as_it_was_seen_on_the_wire(eva: Channel) -> None:
    (error,) = eva.start(resource(description="<")).json["error"]["errors"]

    assert error == {
        "message": "The request metadata specifies an invalid video description.",
        "domain": "youtube.video",
        "reason": "invalidDescription",
        "location": "body.snippet.description",
        "locationType": "other",
    }


@pytest.mark.parametrize(
    "body",
    [
        resource(title="a" * 100),
        resource(title=EMOJI * 50),
        resource(description="\u00e4" * 2500),
        resource(tags=["a" * 500]),
        resource(tags=["a b" * 100, "c" * 197]),
        resource(shorts=True, videoType="short"),
        resource("status", publishAt="2026-11-01T12:00:01Z"),
        resource("status", publishAt="2026-11-02T12:00:00+0000"),
        resource("status", publishAt="2026-11-02T12:00:00.5+02:00"),
        {**RESOURCE, "recordingDetails": {"recordingDate": "not applied, its part is not named"}},
    ],
)
def test_what_the_documentation_allows_is_taken(eva: Channel, body: Any) -> None:
    assert eva.start(body).status == 200


def test_localizations_need_a_default_language(eva: Channel) -> None:
    texts = {"localizations": {"de": {"title": "Titel", "description": ""}}}
    parts = "snippet,status,localizations"

    assert reason(eva.start(RESOURCE | texts, part=parts)) == (400, "defaultLanguageNotSet")
    assert eva.start(resource(defaultLanguage="en") | texts, part=parts).status == 200


def test_a_recording_date_must_be_one(eva: Channel) -> None:
    body = RESOURCE | {"recordingDetails": {"recordingDate": "yesterday"}}

    assert reason(eva.start(body, part="snippet,status,recordingDetails")) == (400, "invalidRecordingDetails")


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ({"part": None}, (400, "required")),
        ({"part": "snippet,shorts"}, (400, "unknownPart")),
        ({"uploadType": None}, (400, "unsupportedMediaProtocol")),
        ({"uploadType": "chunked"}, (400, "unsupportedMediaProtocol")),
        ({"notify": "false"}, (400, "unexpectedParameter")),
        ({"notifySubscribers": "no"}, (400, "invalidParameter")),
        ({"alt": "media"}, (400, "invalidParameter")),
        ({"onBehalfOfContentOwner": "x"}, (403, "accountDelegationForbidden")),
    ],
)
def test_a_bad_query_is_refused(eva: Channel, query: dict[str, Any], why: tuple[int, str]) -> None:
    assert reason(eva.start(**query)) == why


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({"Content-Type": "text/plain"}, (400, "badContent")),
        ({"Content-Type": ""}, (400, "badContent")),
        ({"X-Upload-Content-Type": "image/png"}, (400, "badContent")),
        ({"X-Upload-Content-Length": "many"}, (400, "invalid")),
        ({"X-Upload-Content-Length": "274877906945"}, (413, "uploadTooLarge")),
        ({"Slug": "a/b.mp4"}, (400, "invalidFilename")),
        ({"Authorization": ""}, (401, "required")),
        ({"Authorization": "Bearer ya29.unknown"}, (401, "authError")),
        ({"Authorization": "OAuth x"}, (401, "authError")),
    ],
)
def test_a_bad_header_is_refused(eva: Channel, headers: dict[str, str], why: tuple[int, str]) -> None:
    assert reason(eva.start(headers=headers)) == why


@pytest.mark.parametrize("media_type", ["video/quicktime", "video/*", "application/octet-stream", ""])
def test_any_video_type_is_taken(eva: Channel, media_type: str) -> None:
    assert eva.start(headers={"X-Upload-Content-Type": media_type, "X-Upload-Content-Length": "274877906944"}).status == 200


def test_the_insert_address_without_upload_has_no_place_for_the_video(eva: Channel) -> None:
    answer = eva.send("POST", "/youtube/youtube/v3/videos", body=b"{}", headers={"Content-Type": "application/json"}, part="snippet")

    assert reason(answer) == (400, "mediaBodyRequired")


@pytest.mark.parametrize(
    ("scope", "may_upload", "may_read"),
    [
        ("youtube.upload", True, False),
        ("youtube.readonly", False, True),
        ("youtube", True, True),
        ("youtube.force-ssl", True, True),
        ("youtubepartner", True, True),
        ("yt-analytics.readonly", False, False),
    ],
)
def test_scopes_allow_what_the_table_says(sim: Sim, scope: str, *, may_upload: bool, may_read: bool) -> None:
    someone = channel(sim, "someone", scopes=[scope])

    assert (someone.start().status == 200) == may_upload
    assert (someone.get("channels", part="id", mine="true").status == 200) == may_read


def test_a_missing_scope_is_said_in_both_ways(sim: Sim) -> None:
    answer = channel(sim, "reader", scopes=["youtube.readonly"]).start()

    assert reason(answer) == (403, "insufficientPermissions")
    assert answer.message == "Insufficient Permission: Request had insufficient authentication scopes."
    assert answer.json["error"]["details"][0]["reason"] == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]


def test_an_expired_token_is_an_auth_error(sim: Sim, eva: Channel) -> None:
    sim.advance(3598)
    assert eva.start().status == 200

    sim.advance(1)
    answer = eva.start()

    assert reason(answer) == (401, "authError")
    assert (answer.message, answer.json["error"]["status"]) == ("Invalid Credentials", "UNAUTHENTICATED")


def test_the_token_may_be_in_the_query(eva: Channel) -> None:
    assert eva.start(headers={"Authorization": ""}, access_token=eva.token).status == 200


def test_a_google_account_without_a_channel_must_sign_up(sim: Sim) -> None:
    nobody = channel(sim, "nobody", channel=False)

    answer = nobody.start()

    (error,) = answer.json["error"]["errors"]
    assert answer.status == 401
    assert error == {
        "message": "Unauthorized",
        "domain": "youtube.header",
        "reason": "youtubeSignupRequired",
        "location": "Authorization",
        "locationType": "header",
    }


def test_a_suspended_channel_uploads_nothing(sim: Sim) -> None:
    assert reason(channel(sim, "rogue", suspended=True).start()) == (403, "authenticatedUserAccountSuspended")


def test_a_project_without_the_api_is_told_so(sim: Sim, eva: Channel) -> None:
    app(sim, eva.credentials, api_enabled=False)

    assert reason(eva.start()) == (403, "accessNotConfigured")


def test_the_101st_upload_of_a_day_is_a_429_that_lasts_until_midnight_pacific(sim: Sim, eva: Channel) -> None:
    """Bad requests count, chunks do not, and other channels of the project share the bucket."""
    app(sim, eva.credentials, upload_quota=2)
    sim.control("PUT", "/clock", {"now": "2026-11-15T07:59:00Z"})
    other = channel(sim, "other")
    eva.credentials |= channel(sim, "eva").credentials
    assert [eva.start(b"{").status, other.start().status] == [400, 200]

    answer = eva.start()

    assert reason(answer) == (429, "rateLimitExceeded")
    assert answer.json["error"]["errors"][0]["domain"] == "global"
    assert answer.message == (
        "Quota exceeded for quota metric 'Video Uploads' and limit 'Video Uploads per day'"
        " of service 'youtube.googleapis.com' for consumer 'project_number:100000000001'."
    )
    sim.advance(59)
    assert eva.start().status == 429
    sim.advance(1)
    assert eva.start().status == 200


def test_in_summer_the_day_ends_an_hour_earlier(sim: Sim, eva: Channel) -> None:
    sim.control("PUT", "/clock", {"now": "2027-07-01T06:59:59Z"})
    eva.credentials |= channel(sim, "eva").credentials
    app(sim, eva.credentials, upload_quota=0)
    assert eva.start().status == 429

    app(sim, eva.credentials, upload_quota=1)
    assert [eva.start().status, eva.start().status] == [200, 429]
    sim.advance(1)
    assert eva.start().status == 200


def test_the_unit_pool_is_another_bucket_with_another_answer(sim: Sim, eva: Channel) -> None:
    app(sim, eva.credentials, unit_quota=2)
    assert [eva.get("channels", part="id", mine="true").status for _ in range(2)] == [200, 200]

    answer = eva.get("channels", part="id", mine="true")

    assert reason(answer) == (403, "quotaExceeded")
    assert answer.json["error"]["errors"][0]["domain"] == "youtube.quota"
    assert 'href="/youtube/v3/getting-started#quota"' in answer.message
    assert eva.start().status == 200
    assert sim.control("GET", "/youtube/apps")["apps"][0]["used_today"] == {"uploads": 1, "units": 2}


def test_a_project_without_limits_is_for_benchmarks(sim: Sim, eva: Channel) -> None:
    app(sim, eva.credentials, upload_quota=0)
    knobs(sim, quotas="off")

    assert eva.start().status == 200


def test_the_channels_own_cap_counts_videos_of_24_hours(sim: Sim) -> None:
    small = channel(sim, "small", upload_cap=1)
    small.upload(b"bytes")

    answer = small.start()

    assert reason(answer) == (400, "uploadLimitExceeded")
    assert answer.json["error"]["errors"][0]["domain"] == "youtube.video"
    assert answer.message == "The user has exceeded the number of videos they may upload."
    sim.advance(86_400)
    assert channel(sim, "small").start().status == 200


def test_an_omitted_privacy_is_public(eva: Channel) -> None:
    assert eva.upload(b"bytes", {"snippet": {"title": "x"}})["status"]["privacyStatus"] == "public"


def test_a_section_whose_part_is_not_named_is_not_applied(eva: Channel) -> None:
    shown = eva.upload(b"bytes", RESOURCE, part="snippet")

    assert "status" not in shown
    assert eva.video(shown["id"])["status"]["privacyStatus"] == "public"


def test_knobs_turn_the_undocumented_corners(sim: Sim, eva: Channel) -> None:
    knobs(sim, missing_title="unknown", past_publish_at="publish")

    untitled = eva.upload(b"bytes", {"status": {"privacyStatus": "private"}})
    assert untitled["snippet"]["title"] == "unknown"
    assert eva.start(resource("status", publishAt="2020-01-01T00:00:00Z")).status == 200
