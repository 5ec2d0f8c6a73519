"""What a container may be asked to be: its variants, their parameters, and the limits of each parameter.

https://developers.facebook.com/documentation/instagram-platform/instagram-graph-api/reference/ig-user/media (2026-09)
"""

import re
from dataclasses import dataclass
from typing import Any, Final

from clipcast_simulator.instagram.errors import Refusal
from clipcast_simulator.instagram.parameters import Given, malformed, missing
from clipcast_simulator.settings import InstagramKnobs

CAPTION_CHARACTERS: Final = 2200
CAPTION_HASHTAGS: Final = 30
CAPTION_MENTIONS: Final = 20
ALT_TEXT_CHARACTERS: Final = 1000
COLLABORATORS: Final = 3
SPONSORS: Final = 2
TAGS: Final = 20
PRODUCTS: Final = 5
CHILDREN: Final = range(2, 11)

_HASHTAG: Final = re.compile(r"#\w+")
_MENTION: Final = re.compile(r"@[A-Za-z0-9._]+")
_USERNAME: Final = re.compile(r"[A-Za-z0-9._]{1,30}")

_TAGGED: Final = frozenset({"user_tags", "product_tags"})
_LABELS: Final = frozenset({"is_ai_generated", "is_paid_partnership", "branded_content_sponsor_ids"})
_TEXTS: Final = frozenset({"caption", "collaborators", "location_id"})
_VIDEO: Final = frozenset({"video_url", "upload_type"})

#: The parameters of each variant besides media_type; a child's have is_carousel_item too.
_ALLOWED: Final = {
    "image": _TEXTS | _TAGGED | _LABELS | {"image_url", "alt_text"},
    "reel": _TEXTS
    | _TAGGED
    | _LABELS
    | _VIDEO
    | {"share_to_feed", "cover_url", "thumb_offset", "audio_name", "audio_configuration", "trial_params"},
    "story": _LABELS | _VIDEO | {"image_url", "caption", "user_tags"},
    "carousel": _TEXTS | _LABELS | {"children", "share_to_feed"},
    "child image": _TAGGED | {"image_url", "alt_text", "is_carousel_item"},
    "child video": _TAGGED | _VIDEO | {"thumb_offset", "is_carousel_item"},
}

_FACEBOOK_ONLY: Final = frozenset({"audio_configuration", "product_tags", "is_paid_partnership", "branded_content_sponsor_ids"})


@dataclass(frozen=True, slots=True)
class Variant:
    """Which of the documented posts a request describes."""

    kind: str  #: image, reel, story, carousel, video
    medium: str  #: image, video, carousel
    is_child: bool = False
    is_resumable: bool = False


def variant(given: Given, login: str, knobs: InstagramKnobs) -> Variant:
    """Find out what is asked for; raises Refusal."""
    media_type, is_child = given.text("media_type"), given.flag("is_carousel_item") is True
    match media_type:
        case None | "IMAGE":
            found = Variant("image", "image", is_child)
        case "VIDEO":
            if not is_child:
                raise Refusal(100, 2207067)
            found = Variant("video", "video", is_child=True)
        case "REELS":
            found = Variant("reel", "video")
        case "STORIES":
            found = Variant("story", "image" if given.text("image_url") is not None else "video")
        case "CAROUSEL":
            found = Variant("carousel", "carousel")
        case _:
            raise Refusal(100, 2207023)
    if is_child and not found.is_child:
        raise Refusal(100, message=f"(#100) media_type {media_type} cannot be a carousel item")
    _check_names(given, found, login)
    return _with_source(given, found, login, knobs)


def values(given: Given, found: Variant) -> dict[str, Any]:
    """Check every parameter of a container and return them as values; raises Refusal."""
    result: dict[str, Any] = {
        "caption": caption(given.text("caption")),
        "alt_text": _limited(given, "alt_text", ALT_TEXT_CHARACTERS),
        "audio_name": given.text("audio_name"),
        "cover_url": given.text("cover_url"),
        "location_id": _location(given),
        "thumb_offset": _thumb_offset(given),
        "collaborators": _usernames(given),
        "user_tags": _user_tags(given, found),
        "product_tags": _product_tags(given, found),
        "trial_params": _trial(given),
        "audio_configuration": _audio(given),
        "branded_content_sponsor_ids": _sponsors(given),
        **{name: given.flag(name) for name in ("share_to_feed", "is_ai_generated", "is_paid_partnership")},
    }
    if result["branded_content_sponsor_ids"]:
        result["is_paid_partnership"] = True
    return {name: value for name, value in result.items() if value is not None}


def caption(text: str | None) -> str | None:
    """Check a caption's length, hashtags and mentions. The unit is not documented: code points here."""
    if text is None:
        return None
    counts = (len(text), len(_HASHTAG.findall(text)), len(_MENTION.findall(text)))
    if any(count > most for count, most in zip(counts, (CAPTION_CHARACTERS, CAPTION_HASHTAGS, CAPTION_MENTIONS), strict=True)):
        raise Refusal(36004, 2207010)
    return text


def children(given: Given) -> tuple[str, ...]:
    """Read a carousel's children: a comma-separated text or a JSON array of 2 to 10 container ids."""
    sent = given.values.get("children")
    if not sent:
        raise missing("children")
    found = sent.split(",") if isinstance(sent, str) and not sent.lstrip().startswith("[") else given.structure("children", list)
    names = tuple(str(item).strip() for item in found)
    if len(names) not in CHILDREN:
        raise Refusal(100, 2207028)
    if len(set(names)) != len(names):
        raise Refusal(100, message="(#100) Param children names a container twice")
    return names


def _check_names(given: Given, found: Variant, login: str) -> None:
    allowed = _ALLOWED[f"child {found.medium}" if found.is_child else found.kind] | {"media_type"}
    if login == "instagram":
        allowed -= _FACEBOOK_ONLY
    sent = given.values
    if not found.is_child and given.flag("is_carousel_item") is False:
        allowed |= {"is_carousel_item"}
    for name in ("caption", "collaborators", "location_id", "is_ai_generated", "alt_text", "image_url", "video_url"):
        if name in sent and name not in allowed:
            raise Refusal(100, message=f"(#100) The param {name} is not allowed")
    given.check(allowed)


def _with_source(given: Given, found: Variant, login: str, knobs: InstagramKnobs) -> Variant:
    """Check that there is exactly one source of bytes."""
    if found.medium == "carousel":
        return found
    if found.medium == "image":
        given.needed("image_url")
        if given.text("video_url") is not None or given.text("upload_type") is not None:
            raise Refusal(100, message="(#100) Give an image or a video, not both")
        return found
    upload_type, url = given.text("upload_type"), given.text("video_url")
    if upload_type is not None and login == "instagram" and knobs.ig_resumable == "refuse":
        raise missing("video_url")
    if upload_type not in (None, "resumable"):
        raise malformed("upload_type", "upload type: resumable")
    if upload_type is None and url is None:
        raise missing("video_url")
    if upload_type is not None and url is not None:
        raise Refusal(100, message="(#100) Give video_url or upload_type, not both")
    return Variant(found.kind, found.medium, found.is_child, is_resumable=upload_type is not None)


def _limited(given: Given, name: str, most: int) -> str | None:
    text = given.text(name)
    if text is not None and len(text) > most:
        raise Refusal(100, message=f"(#100) Param {name} must have at most {most} characters")
    return text


def _location(given: Given) -> str | None:
    text = given.text("location_id")
    if text is not None and not text.isdecimal():
        raise Refusal(100, message="INSTAGRAM_PLATFORM_API__INVALID_LOCATION_ID")
    return text


def _thumb_offset(given: Given) -> int | None:
    offset = given.number("thumb_offset")
    if offset is not None and offset < 0:
        raise Refusal(1, 2207057)
    return offset


def _usernames(given: Given) -> list[str] | None:
    names: list[Any] | None = given.structure("collaborators", list)
    if names is None:
        return None
    if len(names) > COLLABORATORS:
        raise Refusal(100, message=f"(#100) Param collaborators must have at most {COLLABORATORS} usernames")
    if not all(isinstance(name, str) and _USERNAME.fullmatch(name) for name in names):
        raise malformed("collaborators", "list of usernames")
    return names


def _user_tags(given: Given, found: Variant) -> list[dict[str, Any]] | None:
    tags = _tags(given, "user_tags", {"username", "x", "y"})
    if tags is None:
        return None
    if len(tags) > TAGS:
        raise Refusal(100, 2207040)
    for tag in tags:
        if not isinstance(tag.get("username"), str) or not _USERNAME.fullmatch(tag["username"]):
            raise malformed("user_tags", "list of tags with a username")
        if found.kind == "image" and not _has_place(tag):
            raise Refusal(100, message="(#100) Param user_tags needs x and y from 0.0 to 1.0 for images")
    return tags


def _product_tags(given: Given, found: Variant) -> list[dict[str, Any]] | None:
    tags = _tags(given, "product_tags", {"product_id", "x", "y"})
    if tags is None:
        return None
    if len(tags) > PRODUCTS:
        raise Refusal(100, message=f"(#100) Param product_tags must have at most {PRODUCTS} products")
    for tag in tags:
        if not str(tag.get("product_id", "")).isdecimal():
            raise Refusal(100, 2207037)
        if found.medium == "video" and ("x" in tag or "y" in tag):
            raise Refusal(100, 2207035)
        if found.medium == "image" and not _has_place(tag):
            raise Refusal(100, 2207036)
    return tags


def _tags(given: Given, name: str, keys: set[str]) -> list[dict[str, Any]] | None:
    tags: list[Any] | None = given.structure(name, list)
    if tags is not None and not all(isinstance(tag, dict) and tag.keys() <= keys for tag in tags):
        raise malformed(name, "list of tags")
    return tags


def _has_place(tag: dict[str, Any]) -> bool:
    places = (tag.get("x"), tag.get("y"))
    return all(isinstance(place, int | float) and not isinstance(place, bool) and 0 <= place <= 1 for place in places)


def _trial(given: Given) -> dict[str, Any] | None:
    trial: dict[str, Any] | None = given.structure("trial_params", dict)
    if trial is None:
        return None
    if trial.keys() != {"graduation_strategy"} or trial["graduation_strategy"] not in ("MANUAL", "SS_PERFORMANCE"):
        raise malformed("trial_params", "object with graduation_strategy MANUAL or SS_PERFORMANCE")
    return trial


def _audio(given: Given) -> dict[str, Any] | None:
    audio: dict[str, Any] | None = given.structure("audio_configuration", dict)
    if audio is not None and (not audio.get("audio_id") or not audio.keys() <= {"audio_id", "audio_volume", "video_volume"}):
        raise malformed("audio_configuration", "object with audio_id")
    return audio


def _sponsors(given: Given) -> list[Any] | None:
    sponsors: list[Any] | None = given.structure("branded_content_sponsor_ids", list)
    if sponsors is not None and (len(sponsors) > SPONSORS or not all(str(item).isdecimal() for item in sponsors)):
        raise malformed("branded_content_sponsor_ids", f"list of at most {SPONSORS} account ids")
    return sponsors
