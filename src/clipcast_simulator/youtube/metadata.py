"""The video resource that a client sends: what is applied, what is refused, what is put where nothing was said."""

import json
import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from clipcast_simulator.exchange import Context
from clipcast_simulator.youtube.errors import Refusal

_JSON_TYPE: Final = re.compile(r"application/json(; ?charset=utf-8)?", re.IGNORECASE)
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_INSTANT: Final = re.compile(r"(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?)(?:[Zz]|[+-]\d\d:?\d\d)")

_TITLE_UNITS: Final = 100  #: UTF-16 units, the strictest reading of "characters"
_DESCRIPTION_BYTES: Final = 5000
_TAG_UNITS: Final = 500

#: Categories that videos may be put in (videoCategories.list with `assignable: true`).
CATEGORIES: Final = {
    "1": "Film & Animation",
    "2": "Autos & Vehicles",
    "10": "Music",
    "15": "Pets & Animals",
    "17": "Sports",
    "19": "Travel & Events",
    "20": "Gaming",
    "22": "People & Blogs",
    "23": "Comedy",
    "24": "Entertainment",
    "25": "News & Politics",
    "26": "Howto & Style",
    "27": "Education",
    "28": "Science & Technology",
    "29": "Nonprofits & Activism",
}
UNASSIGNABLE: Final = {"18": "Short Movies", "21": "Videoblogging", "30": "Movies", "43": "Shows", "44": "Trailers"}

#: The fields that can be set, by part. Everything else in a body is ignored: invented fields do nothing.
_FIELDS: Final[Mapping[str, Mapping[str, type]]] = {
    "snippet": {
        "title": str,
        "description": str,
        "tags": list,
        "categoryId": str,
        "defaultLanguage": str,
        "defaultAudioLanguage": str,
    },
    "status": {
        "privacyStatus": str,
        "publishAt": str,
        "license": str,
        "embeddable": bool,
        "publicStatsViewable": bool,
        "selfDeclaredMadeForKids": bool,
        "containsSyntheticMedia": bool,
    },
    "recordingDetails": {"recordingDate": str},
    "brandPartner": {"channelHandle": str},
    "paidProductPlacementDetails": {"hasPaidProductPlacement": bool},
}

_CHOICES: Final = {"privacyStatus": ("public", "unlisted", "private"), "license": ("youtube", "creativeCommon")}
_STATUS_DEFAULTS: Final = {"privacyStatus": "public", "license": "youtube", "embeddable": True, "publicStatsViewable": True}

Resource = dict[str, Any]


def read_body(content_type: str | None, body: bytes) -> Resource:
    """Parse a JSON object; raises Refusal. No body at all is an empty resource."""
    if not body:
        return {}
    if not _JSON_TYPE.fullmatch(content_type or ""):
        raise Refusal("badContent", "The content type of the metadata must be application/json.")
    try:
        content = json.loads(body)
    except ValueError as error:
        raise Refusal("parseError") from error
    if not isinstance(content, dict):
        raise Refusal("parseError")
    return content


def new_resource(context: Context, body: Resource, parts: Collection[str]) -> Resource:
    """Return what videos.insert stores of a body: the parts that are named, checked, with defaults. Raises Refusal."""
    resource = applied(body, parts)
    snippet = resource.setdefault("snippet", {})
    if "title" not in snippet and context.settings.youtube.missing_title == "unknown":
        snippet["title"] = "unknown"
    snippet.setdefault("categoryId", "22")
    resource.setdefault("status", {})
    check(resource)
    may_be_past = context.settings.youtube.past_publish_at == "publish"
    check_schedule(context, resource["status"], was_public=False, may_be_past=may_be_past)
    return with_defaults(resource)


def applied(body: Resource, parts: Collection[str]) -> Resource:
    """Take from a body the fields that can be set in the named parts; raises Refusal for a wrong type."""
    resource = {part: _section(body, part, fields) for part, fields in _FIELDS.items() if part in parts and part in body}
    if "localizations" in parts and "localizations" in body:
        resource["localizations"] = _localizations(body["localizations"])
    return resource


def with_defaults(resource: Resource) -> Resource:
    """Fill in what the status leaves open. An omitted privacy is public (revision history of 2026-11-02)."""
    return resource | {"status": _STATUS_DEFAULTS | resource["status"]} if "status" in resource else resource


def check(resource: Resource) -> None:
    """Refuse values that the documentation does not allow."""
    if "snippet" in resource:
        _check_snippet(resource["snippet"])
    for name, choices in _CHOICES.items():
        value = resource.get("status", {}).get(name)
        if value is not None and value not in choices:
            raise Refusal("invalidVideoMetadata", location=f"body.status.{name}", location_type="other")
    date = resource.get("recordingDetails", {}).get("recordingDate")
    if date is not None and instant(date) is None:
        raise Refusal("invalidRecordingDetails")
    if resource.get("localizations") and not resource.get("snippet", {}).get("defaultLanguage"):
        raise Refusal("defaultLanguageNotSet")
    for texts in resource.get("localizations", {}).values():
        if not _title_is_right(texts.get("title")) or not _description_is_right(texts.get("description", "")):
            raise Refusal("invalidVideoMetadata", location="body.localizations", location_type="other")


def check_schedule(context: Context, status: Resource, *, was_public: bool, may_be_past: bool) -> None:
    """Refuse a publishAt that is no instant, not with a private video, after its publication, or in the past."""
    if "publishAt" not in status:
        return
    at = instant(status["publishAt"])
    too_late = at is None or (at <= context.now and not may_be_past)
    if too_late or was_public or status.get("privacyStatus") != "private":
        raise Refusal("invalidPublishAt")


def instant(text: str) -> float | None:
    """Read an ISO 8601 instant with its zone; None when it is not one.

    >>> instant("1970-01-01T01:00:00+0100")
    0.0
    """
    if not _INSTANT.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.upper()).timestamp()
    except ValueError:
        return None


def tags_length(tags: list[str]) -> int:
    """Count tags as YouTube does: a tag with a space has quotation marks, and commas count.

    >>> tags_length(["Foo-Baz"]), tags_length(["Foo Baz"]), tags_length(["a", "b"])
    (7, 9, 3)
    """
    return sum(_utf16_units(tag) + 2 * (" " in tag) for tag in tags) + max(0, len(tags) - 1)


def _section(body: Resource, part: str, fields: Mapping[str, type]) -> Resource:
    section = body[part]
    if not isinstance(section, dict):
        raise _wrong_type(part)
    found = {name: section[name] for name in fields if section.get(name) is not None}
    for name, value in found.items():
        if not isinstance(value, fields[name]):
            raise _wrong_type(f"{part}.{name}")
        if isinstance(value, list) and not all(isinstance(item, str) for item in value):
            raise _wrong_type(f"{part}.{name}")
    return found


def _localizations(given: Any) -> dict[str, dict[str, str]]:
    if not isinstance(given, dict) or not all(isinstance(texts, dict) for texts in given.values()):
        raise _wrong_type("localizations")
    found = {language: {k: v for k, v in texts.items() if k in ("title", "description")} for language, texts in given.items()}
    if not all(isinstance(text, str) for texts in found.values() for text in texts.values()):
        raise _wrong_type("localizations")
    return found


def _check_snippet(snippet: Resource) -> None:
    if not _title_is_right(snippet.get("title")):
        raise Refusal("invalidTitle")
    if not _description_is_right(snippet.get("description", "")):
        raise Refusal("invalidDescription")
    tags = snippet.get("tags", [])
    if tags_length(tags) > _TAG_UNITS or any(_has_angle(tag) for tag in tags):
        raise Refusal("invalidTags")
    if snippet.get("categoryId") not in CATEGORIES:
        raise Refusal("invalidCategoryId")
    for name in ("defaultLanguage", "defaultAudioLanguage"):
        if name in snippet and not _LANGUAGE.fullmatch(snippet[name]):
            raise Refusal("invalidVideoMetadata", location=f"body.snippet.{name}", location_type="other")


def _title_is_right(title: str | None) -> bool:
    return title is not None and title.strip() != "" and _utf16_units(title) <= _TITLE_UNITS and not _has_angle(title)


def _description_is_right(description: str) -> bool:
    return len(description.encode("utf-8", "surrogatepass")) <= _DESCRIPTION_BYTES and not _has_angle(description)


def _has_angle(text: str) -> bool:
    return "<" in text or ">" in text


def _utf16_units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _wrong_type(where: str) -> Refusal:
    return Refusal("invalid", f"Invalid value at 'resource.{where}'", f"body.{where}", location_type="other")
