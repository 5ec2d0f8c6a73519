"""What an order means in YouTube's words: the video resource that is sent, and where the video will be."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from clipcast.platforms.base import JsonValue, Media, Order
from clipcast.platforms.youtube.limits import MAX_SHORT_S, MAX_TITLE_UNITS
from clipcast.platforms.youtube.options import Options, options_of


@dataclass(frozen=True, slots=True)
class Insertion:
    """The metadata of a new video: the resource, its parts, and what of it the flow itself needs again."""

    body: Mapping[str, JsonValue]
    notify_subscribers: bool

    @property
    def parts(self) -> str:
        """The names of the sections that are sent; a section that is not named is not applied."""
        return ",".join(self.body)

    @property
    def title(self) -> str:
        """The title as sent."""
        return self._text("snippet", "title")

    @property
    def description(self) -> str:
        """The description as sent."""
        return self._text("snippet", "description")

    @property
    def tags(self) -> list[str]:
        """The tags as sent."""
        tags = self._section("snippet").get("tags")
        return [str(tag) for tag in tags] if isinstance(tags, list) else []

    @property
    def privacy(self) -> str:
        """The privacy status as sent."""
        return self._text("status", "privacyStatus")

    @property
    def publish_at(self) -> datetime | None:
        """When YouTube is to make the video public by itself; None when it is not, or when the text is no time with a zone."""
        try:
            moment = datetime.fromisoformat(self._text("status", "publishAt"))
        except ValueError:
            return None
        return moment if moment.tzinfo else None

    @property
    def schedules(self) -> bool:
        """Whether a time to go public is sent, readable or not."""
        return bool(self._section("status").get("publishAt"))

    @property
    def made_for_kids(self) -> bool:
        """What is declared about children as the audience."""
        return self._section("status").get("selfDeclaredMadeForKids") is True

    def _section(self, name: str) -> Mapping[str, JsonValue]:
        section = self.body.get(name)
        return section if isinstance(section, Mapping) else {}

    def _text(self, section: str, name: str) -> str:
        value = self._section(section).get(name)
        return value if isinstance(value, str) else ""


def insertion(order: Order) -> Insertion:
    """The metadata for `videos.insert`; `order.extra` is merged in last, key by key.

    Privacy, the audience and the mark for synthetic media are always sent: what is left out, YouTube decides (and decides "public").

    Raises:
        Rejected: the order's options are not usable.

    Source: https://developers.google.com/youtube/data/reference/rest/v3/videos/insert (read 2026-11-20)
    """
    options = options_of(order)
    body: dict[str, JsonValue] = {"snippet": _snippet(order, options), "status": _status(order, options)}
    if options.recording_date:
        body["recordingDetails"] = {"recordingDate": as_sent(options.recording_date)}
    if options.localizations:
        body["localizations"] = {language: text.model_dump() for language, text in options.localizations.items()}
    if order.brand_content:
        body["paidProductPlacementDetails"] = {"hasPaidProductPlacement": True}
    return Insertion(_merged(body, order.extra), options.notify_subscribers)


def title_of(order: Order) -> str:
    r"""The order's title, or the beginning of its caption: its first line, without the brackets YouTube forbids, cut at a word.

    >>> title_of(Order(media=(), caption="Sunset <3 at sea\n#boat"))
    'Sunset 3 at sea'
    """
    if order.title.strip():
        return order.title.strip()
    lines = [line.strip() for line in order.caption.translate(_NO_BRACKETS).splitlines() if line.strip()]
    return _cut(lines[0]) if lines else ""


_NO_BRACKETS: Final = str.maketrans("", "", "<>")


def units(text: str) -> int:
    """The length in UTF-16 code units: most emoji count twice.

    >>> units("clip 🎬")
    7
    """
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def tags_chars(tags: list[str]) -> int:
    """The length YouTube counts: commas between tags, and quotation marks around those with a space.

    >>> tags_chars(["Foo-Baz"]), tags_chars(["Foo Baz", "x"])
    (7, 11)

    Source: https://developers.google.com/youtube/v3/docs/videos (mirror, read 2026-11-20)
    """
    return sum(units(tag) + (2 if " " in tag else 0) for tag in tags) + max(0, len(tags) - 1)


def is_short(video: Media) -> bool:
    """Whether YouTube will show it as a Short: square or vertical, and up to three minutes.

    Source: https://support.google.com/youtube/answer/15424877 (read 2026-11-20)
    """
    return video.height >= video.width > 0 and video.duration_s is not None and video.duration_s <= MAX_SHORT_S


def external_url(order: Order, video_id: str) -> str:
    """Where people find the video; the other form of address leads there too."""
    if is_short(order.media[0]):
        return f"https://www.youtube.com/shorts/{video_id}"
    return f"https://www.youtube.com/watch?v={video_id}"


def as_sent(moment: datetime) -> str:
    """A time as YouTube takes it everywhere.

    >>> as_sent(datetime(2026, 12, 1, 15, tzinfo=UTC))
    '2026-12-01T15:00:00Z'
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _snippet(order: Order, options: Options) -> dict[str, JsonValue]:
    snippet: dict[str, JsonValue] = {"title": title_of(order), "description": order.caption}
    if options.tags:
        snippet["tags"] = list(options.tags)
    optional = {
        "categoryId": options.category_id,
        "defaultLanguage": options.default_language,
        "defaultAudioLanguage": options.default_audio_language,
    }
    return snippet | {name: value for name, value in optional.items() if value}


def _status(order: Order, options: Options) -> dict[str, JsonValue]:
    status: dict[str, JsonValue] = {
        "privacyStatus": order.privacy,
        "selfDeclaredMadeForKids": options.made_for_kids,
        "containsSyntheticMedia": order.ai_generated,
        "license": options.license,
        "embeddable": options.embeddable,
        "publicStatsViewable": options.public_stats_viewable,
    }
    return status | ({"publishAt": as_sent(options.publish_at)} if options.publish_at else {})


def _cut(text: str) -> str:
    """The text in at most 100 units, cut at a word where there is one."""
    if units(text) <= MAX_TITLE_UNITS:
        return text
    room = text.encode("utf-16-le", "surrogatepass")[: 2 * (MAX_TITLE_UNITS - 1)].decode("utf-16-le", "ignore")
    head, _, _ = room.rpartition(" ")
    return f"{(head or room).rstrip()}…"


def _merged(base: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """`extra` over `base`: objects key by key, everything else replaced.

    >>> _merged({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}, "d": 4})
    {'a': {'b': 3, 'c': 2}, 'd': 4}
    """
    merged = dict(base)
    for key, value in extra.items():
        known = merged.get(key)
        merged[key] = _merged(known, value) if isinstance(known, Mapping) and isinstance(value, Mapping) else value
    return merged
