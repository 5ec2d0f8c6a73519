"""Every refusal of the init endpoints, with its documented status, and that the checks come in their order."""

from typing import Any

import pytest

from simulator.wire import JSON_TYPE, POST, Creator, Sim, one_chunk

VIDEO = one_chunk(1000)
PULL = {"source": "PULL_FROM_URL", "video_url": "https://videos.example.com/a.mp4"}
PHOTOS = ["https://images.example.com/1.jpg"]


def without(body: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != name}


def test_the_publish_id_and_the_upload_url_look_like_tiktoks(sim: Sim, ana: Creator) -> None:
    data = ana.video_init(VIDEO).data

    prefix, _, number = data["publish_id"].partition(".")
    assert (prefix, len(number), number.isdecimal()) == ("v_pub_file~v2-1", 19, True)
    address, _, query = data["upload_url"].partition("?")
    assert address == f"{sim.url}/tiktok/upload"
    assert query.startswith("upload_id=")
    assert "&upload_token=" in query
    assert len(data["upload_url"]) <= 256


def test_the_upload_url_leads_back_the_way_the_client_came(sim: Sim, ana: Creator) -> None:
    by_name = sim.url.replace("127.0.0.1", "localhost")
    body = {"post_info": {"privacy_level": "SELF_ONLY"}, "source_info": VIDEO}

    answer = sim.call(f"{by_name}{POST}/video/init/", body, token=ana.token)

    assert answer.data["upload_url"].startswith(by_name)


@pytest.mark.parametrize(
    ("post_info", "part"),
    [
        (None, "The request post info is empty or incorrect"),
        ({}, "The request post info is empty or incorrect"),
        ({"privacy_level": "SELF_ONLY", "caption": "x"}, "Unknown field post_info.caption"),
        ({"privacy_level": "SELF_ONLY", "title": 5}, "post_info.title must be of type string"),
        ({"privacy_level": "SELF_ONLY", "disable_duet": "true"}, "post_info.disable_duet must be of type boolean"),
        ({"privacy_level": "SELF_ONLY", "video_cover_timestamp_ms": 1.5}, "post_info.video_cover_timestamp_ms"),
        ({"privacy_level": "SELF_ONLY", "video_cover_timestamp_ms": True}, "post_info.video_cover_timestamp_ms"),
        ({"privacy_level": "SELF_ONLY", "title": "\U0001f600" * 1101}, "2200 UTF-16 units"),
        ({"privacy_level": "SELF_ONLY", "brand_content_toggle": True}, "Branded content visibility"),
    ],
)
def test_a_wrong_post_info_is_refused(ana: Creator, post_info: Any, part: str) -> None:
    body = {"source_info": VIDEO} | ({} if post_info is None else {"post_info": post_info})

    answer = ana.call(f"{POST}/video/init/", body)

    assert (answer.status, answer.code) == (400, "invalid_params")
    assert part in answer.message


def test_a_caption_of_exactly_2200_units_is_accepted(ana: Creator) -> None:
    assert ana.video_init(VIDEO, title="\U0001f600" * 1100).code == "ok"


@pytest.mark.parametrize(
    "source",
    [
        {},
        {"source": "CARRIER_PIGEON"},
        without(VIDEO, "video_size"),
        without(VIDEO, "chunk_size"),
        without(VIDEO, "total_chunk_count"),
        VIDEO | {"video_url": "https://example.com/a.mp4"},
        VIDEO | {"video_size": "1000"},
        VIDEO | {"video_cover_timestamp_ms": 5},
        one_chunk(0),
        one_chunk(4_000_000_001),
        PULL | {"video_size": 5},
        PULL | {"video_url": "http://videos.example.com/a.mp4"},
        PULL | {"video_url": "ftp://videos.example.com/a.mp4"},
        PULL | {"video_url": "https://user@videos.example.com/a.mp4"},
    ],
)
def test_a_wrong_source_info_is_refused(ana: Creator, source: Any) -> None:
    answer = ana.video_init(source)

    assert (answer.status, answer.code) == (400, "invalid_params")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"null"])
def test_a_body_that_is_no_json_object_is_refused(ana: Creator, body: bytes) -> None:
    answer = ana.sim.call(f"{POST}/video/init/", body, token=ana.token, headers={"Content-Type": JSON_TYPE})

    assert (answer.status, answer.code) == (400, "invalid_params")


@pytest.mark.parametrize("media_type", ["text/plain", "application/json", "application/x-www-form-urlencoded"])
def test_another_content_type_is_refused(ana: Creator, media_type: str) -> None:
    body = {"post_info": {"privacy_level": "SELF_ONLY"}, "source_info": VIDEO}

    answer = ana.sim.call(f"{POST}/video/init/", body, token=ana.token, headers={"Content-Type": media_type})

    assert (answer.status, answer.code) == (400, "invalid_params")


@pytest.mark.parametrize("authorization", ["", "Bearer", "bearer {token}", "{token}", "Bearer {token} x", "Bearer act.wrong"])
def test_only_a_whole_bearer_header_counts(ana: Creator, authorization: str) -> None:
    value = authorization.format(token=ana.token)

    answer = ana.sim.call(f"{POST}/creator_info/query/", token=ana.token, headers={"Authorization": value})

    assert (answer.status, answer.code) == (401, "access_token_invalid")


def test_a_missing_trailing_slash_is_another_path(ana: Creator) -> None:
    assert ana.call(f"{POST}/video/init", {}).status == 404
    assert ana.sim.send("GET", f"{POST}/video/init/").status == 405


@pytest.mark.parametrize(
    ("scopes", "operation"),
    [(["video.upload"], "video"), (["video.publish"], "inbox"), (["video.upload"], "photo"), (["user.info.basic"], "photo")],
)
def test_each_init_wants_its_own_scope(sim: Sim, scopes: list[str], operation: str) -> None:
    creator = sim.account("bo", scopes=scopes)
    calls = {
        "video": lambda: creator.video_init(VIDEO),
        "inbox": lambda: creator.inbox_init(VIDEO),
        "photo": lambda: creator.photo_init(PHOTOS),
    }

    answer = calls[operation]()

    assert (answer.status, answer.code) == (401, "scope_not_authorized")


def test_an_unverified_url_is_refused_for_every_pull(sim: Sim, ana: Creator) -> None:
    sim.app(verified_domains=["static.example.com"])

    for answer in (ana.video_init(PULL), ana.inbox_init(PULL), ana.photo_init(PHOTOS)):
        assert (answer.status, answer.code) == (403, "url_ownership_unverified")


@pytest.mark.parametrize(
    ("url", "verified"),
    [
        ("https://static.example.com/a.jpg", True),
        ("https://video.static.example.com/a.jpg?sig=1", True),
        ("https://example.com/a.jpg", False),
        ("https://evilstatic.example.com/a.jpg", False),
        ("https://cdn.example.org/u/a.jpg", True),
        ("https://cdn.example.org/u", False),
        ("https://cdn.example.org/v/a.jpg", False),
    ],
)
def test_a_domain_covers_its_subdomains_and_a_prefix_only_itself(sim: Sim, ana: Creator, url: str, *, verified: bool) -> None:
    sim.app(verified_domains=["static.example.com"], verified_prefixes=["https://cdn.example.org/u/"])

    assert ana.photo_init([url]).code == ("ok" if verified else "url_ownership_unverified")


@pytest.mark.parametrize(
    ("private", "level", "code"),
    [
        (False, "PUBLIC_TO_EVERYONE", "ok"),
        (False, "MUTUAL_FOLLOW_FRIENDS", "ok"),
        (False, "FOLLOWER_OF_CREATOR", "privacy_level_option_mismatch"),
        (True, "FOLLOWER_OF_CREATOR", "ok"),
        (True, "PUBLIC_TO_EVERYONE", "privacy_level_option_mismatch"),
        (True, "public", "privacy_level_option_mismatch"),
    ],
)
def test_the_privacy_level_must_be_among_the_creators_options(sim: Sim, level: str, code: str, *, private: bool) -> None:
    creator = sim.account("bo", private=private)

    assert creator.video_init(VIDEO, privacy_level=level).code == code
    assert (level in creator.info().data["privacy_level_options"]) == (code == "ok")


def test_a_missing_privacy_level_is_a_mismatch(ana: Creator) -> None:
    answer = ana.call(f"{POST}/video/init/", {"post_info": {"title": "x"}, "source_info": VIDEO})

    assert (answer.status, answer.code) == (403, "privacy_level_option_mismatch")


@pytest.mark.parametrize(
    ("private", "level", "accepted"), [(False, "SELF_ONLY", False), (True, "FOLLOWER_OF_CREATOR", False), (True, "SELF_ONLY", True)]
)
def test_an_unaudited_app_posts_to_private_accounts_and_privately_only(sim: Sim, level: str, *, private: bool, accepted: bool) -> None:
    sim.app("awunaudited", audited=False)
    creator = sim.account("bo", client_key="awunaudited", private=private)

    answer = creator.video_init(VIDEO, privacy_level=level)

    refusal = (403, "unaudited_client_can_only_post_to_private_accounts")
    assert (answer.status, answer.code) == ((200, "ok") if accepted else refusal)
    assert creator.info().code == "ok"


def test_an_unaudited_app_may_send_drafts_to_a_public_account(sim: Sim) -> None:
    sim.app("awunaudited", audited=False)

    assert sim.account("bo", client_key="awunaudited").inbox_init(VIDEO).code == "ok"


def test_an_inbox_init_ignores_whatever_post_info_says(ana: Creator) -> None:
    body = {"post_info": {"nonsense": 1}, "source_info": VIDEO}

    assert ana.call(f"{POST}/inbox/video/init/", body).code == "ok"


def test_ownership_is_judged_before_the_audit_and_privacy_before_the_plan(sim: Sim) -> None:
    sim.app("awunaudited", audited=False)
    creator = sim.account("bo", client_key="awunaudited")
    assert creator.video_init(PULL).code == "url_ownership_unverified"

    sim.app("awunaudited", audited=True)
    assert creator.video_init(one_chunk(94_000_000), privacy_level="NONE").code == "privacy_level_option_mismatch"


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"media_type": "VIDEO"}, "media_type"),
        ({"post_mode": "DIRECT POST"}, "post_mode"),
        ({"source_info": {"source": "FILE_UPLOAD", "photo_images": PHOTOS, "photo_cover_index": 0}}, "PULL_FROM_URL"),
        ({"source_info": {"source": "PULL_FROM_URL", "photo_images": [], "photo_cover_index": 0}}, "photo_images"),
        ({"source_info": {"source": "PULL_FROM_URL", "photo_images": PHOTOS * 36, "photo_cover_index": 0}}, "photo_images"),
        ({"source_info": {"source": "PULL_FROM_URL", "photo_images": PHOTOS, "photo_cover_index": 1}}, "photo_cover_index"),
        ({"source_info": {"source": "PULL_FROM_URL", "photo_images": PHOTOS}}, "photo_cover_index"),
        ({"post_info": {"privacy_level": "SELF_ONLY", "title": "x" * 91}}, "90 UTF-16"),
        ({"post_info": {"privacy_level": "SELF_ONLY", "description": "x" * 4001}}, "4000 UTF-16"),
        ({"post_info": {"privacy_level": "SELF_ONLY", "disable_duet": True}}, "Unknown field"),
        ({"is_aigc": "yes"}, "is_aigc"),
    ],
)
def test_a_wrong_photo_post_is_refused(sim: Sim, ana: Creator, change: dict[str, Any], part: str) -> None:
    sim.app(verified_domains=["images.example.com"])
    body = {
        "media_type": "PHOTO",
        "post_mode": "DIRECT_POST",
        "post_info": {"privacy_level": "SELF_ONLY"},
        "source_info": {"source": "PULL_FROM_URL", "photo_images": PHOTOS, "photo_cover_index": 0},
    }

    answer = ana.call(f"{POST}/content/init/", body | change)

    assert (answer.status, answer.code) == (400, "invalid_params")
    assert part in answer.message


@pytest.mark.parametrize(("version", "code"), [("31.7.9", "app_version_check_failed"), ("31.8", "ok"), ("40.0.0", "ok")])
def test_a_photo_draft_needs_a_recent_tiktok_app(sim: Sim, version: str, code: str) -> None:
    sim.app(verified_domains=["images.example.com"])
    creator = sim.account("bo", app_version=version)

    assert creator.photo_init(PHOTOS, mode="MEDIA_UPLOAD").code == code
    assert creator.photo_init(PHOTOS).code == "ok"


@pytest.mark.parametrize(
    ("kind", "prefix"),
    [
        ("direct pull", "v_pub_url~v2-1."),
        ("inbox file", "v_inbox_file~v2."),
        ("inbox pull", "v_inbox_url~v2."),
        ("photo", "p_pub_url~v2."),
        ("photo draft", "p_inbox_url~v2."),
    ],
)
def test_each_kind_of_post_has_its_prefix(sim: Sim, ana: Creator, kind: str, prefix: str) -> None:
    sim.app(verified_domains=["example.com"])
    calls = {
        "direct pull": lambda: ana.video_init(PULL),
        "inbox file": lambda: ana.inbox_init(VIDEO),
        "inbox pull": lambda: ana.inbox_init(PULL),
        "photo": lambda: ana.photo_init(PHOTOS),
        "photo draft": lambda: ana.photo_init(PHOTOS, mode="MEDIA_UPLOAD"),
    }

    assert calls[kind]().data["publish_id"].startswith(prefix)
