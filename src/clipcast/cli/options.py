"""The options that say what to publish, shared by `publish` and `preflight`, and what they mean to the domain."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

import typer

from clipcast.cli.output import tell

if TYPE_CHECKING:
    from pydantic import ValidationError

    from clipcast.publications.order import Metadata


class Privacy(StrEnum):
    """Who may see the post."""

    PUBLIC = "public"
    UNLISTED = "unlisted"
    FRIENDS = "friends"
    FOLLOWERS = "followers"
    PRIVATE = "private"


MediaArgument: TypeAlias = Annotated[
    list[str], typer.Argument(metavar="FILE_OR_URL...", help="A video, an image, or several images; files, http(s) URLs or clip ids.")
]
To: TypeAlias = Annotated[
    list[str],
    typer.Option(
        "--to", metavar="PLATFORM[:USERNAME]", help="Where to: the platform's (oldest) main account, or the one named. Repeat for more."
    ),
]
Caption: TypeAlias = Annotated[str, typer.Option("--caption", help="The post's text.")]
Title: TypeAlias = Annotated[str, typer.Option("--title", help="A title, where the platform has one (TikTok photo sets, YouTube).")]
Hashtags: TypeAlias = Annotated[
    list[str] | None, typer.Option("--hashtag", metavar="TAG", help="Added to the caption's end, with or without #. Repeat for more.")
]
PrivacyOption: TypeAlias = Annotated[Privacy, typer.Option("--privacy", help="Who may see it; unlisted: YouTube alone.")]
Mode: TypeAlias = Annotated[
    str,
    typer.Option(
        "--mode",
        help="TikTok: direct (default) or inbox, a draft that the creator finishes in the app. Instagram: reel, feed or story; default: "
        "a reel of a video, else the feed.",
    ),
]
At: TypeAlias = Annotated[
    str | None,
    typer.Option("--at", metavar="TIME", help="When, as ISO 8601 (2026-05-01T09:00); without a zone it is this machine's. Default: now."),
]
Timezone: TypeAlias = Annotated[
    str | None, typer.Option("--timezone", metavar="ZONE", help="In which --at is meant, such as Europe/Berlin. Default: this machine's.")
]
Zone: TypeAlias = Annotated[str, typer.Option("--timezone", metavar="ZONE", help="An IANA zone, such as Europe/Berlin.")]
Fold: TypeAlias = Annotated[
    int, typer.Option("--fold", min=0, max=1, help="Where --at comes twice because clocks go back: 0 for the first, 1 for the second.")
]
NextSlot: TypeAlias = Annotated[bool, typer.Option("--next-slot", help="At the next free slot of each account, instead of --at.")]
Draft: TypeAlias = Annotated[
    bool, typer.Option("--draft", help="Keep it as a draft that nobody sends before it is released (clipcast posts release).")
]
IfMissed: TypeAlias = Annotated[
    str | None,
    typer.Option("--if-missed", metavar="skip|ask", help="What to do when nothing ran at its time. Default: late within a day, then ask."),
]
Comments: TypeAlias = Annotated[bool, typer.Option("--comments/--no-comments", help="Whether people may comment.")]
Duet: TypeAlias = Annotated[bool, typer.Option("--duet/--no-duet", help="TikTok: whether people may duet.")]
Stitch: TypeAlias = Annotated[bool, typer.Option("--stitch/--no-stitch", help="TikTok: whether people may stitch.")]
BrandContent: TypeAlias = Annotated[bool, typer.Option("--brand-content", help="A paid partnership with a third party.")]
BrandOrganic: TypeAlias = Annotated[bool, typer.Option("--brand-organic", help="Promotes the creator's own business.")]
AiGenerated: TypeAlias = Annotated[bool, typer.Option("--ai-generated", help="Labels the post as made with AI.")]
AutoMusic: TypeAlias = Annotated[bool, typer.Option("--auto-music", help="TikTok photo sets: let TikTok choose music.")]
CoverMs: TypeAlias = Annotated[int | None, typer.Option("--cover-ms", min=0, help="The moment of the video that becomes its cover, in ms.")]
CoverIndex: TypeAlias = Annotated[int, typer.Option("--cover-index", min=0, help="Which image of a set is its cover, from 0.")]
Pull: TypeAlias = Annotated[bool, typer.Option("--pull", help="Let the platform fetch the video by a signed URL instead of uploading it.")]
AutoFit: TypeAlias = Annotated[
    bool,
    typer.Option("--auto-fit", help="Post a converted copy of files whose form the platform does not take; the original stays as it is."),
]
Extra: TypeAlias = Annotated[
    str | None, typer.Option("--extra", metavar="JSON", help="An object that is merged last into the platform's own request.")
]
Own: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--option",
        metavar="[PLATFORM.]NAME=VALUE",
        help="An option of the platform's own, as JSON or text; with PLATFORM. for its targets alone. Repeat for more.",
    ),
]
Satellites: TypeAlias = Annotated[bool, typer.Option("--satellites", help="Also to the active satellites of these main accounts.")]
AllowDuplicate: TypeAlias = Annotated[
    bool, typer.Option("--allow-duplicate", help="Post although the same goes to the same account within a day before or after.")
]
Wait: TypeAlias = Annotated[bool, typer.Option("--wait/--no-wait", help="Carry it to the end here, or leave it to a worker.")]

_METADATA: Final = {
    "caption": "caption",
    "title": "title",
    "privacy": "privacy",
    "mode": "mode",
    "comments": "allow_comments",
    "duet": "allow_duet",
    "stitch": "allow_stitch",
    "brand_content": "brand_content",
    "brand_organic": "brand_organic",
    "ai_generated": "ai_generated",
    "auto_music": "auto_add_music",
    "cover_ms": "cover_ms",
    "cover_index": "cover_index",
    "auto_fit": "auto_fit",
}


@dataclass(frozen=True, slots=True)
class Where:
    """One `--to`: a platform, and a username or the platform's main account."""

    platform: str
    username: str

    def __str__(self) -> str:
        return f"{self.platform}:{self.username}" if self.username else self.platform


def targets_of(to: Sequence[str]) -> list[Where]:
    """The targets, in the order given.

    >>> [str(target) for target in targets_of(["tiktok", "TikTok:@lena"])]
    ['tiktok', 'tiktok:lena']
    """
    return [_where(text) for text in to]


def _where(text: str) -> Where:
    platform, colon, username = (part.strip() for part in text.partition(":"))
    username = username.removeprefix("@")
    if colon and not username:  # a script's empty variable, or a slip: never the main account
        raise typer.BadParameter(f"{text!r} names no account after the colon. {platform} alone is its main account.", param_hint="--to")
    return Where(platform.lower(), username)


def moment_of(at: str | None, fold: int = 0) -> datetime | None:
    """The time that `--at` names, aware; a time without a zone is this machine's, and what is not plain about it is told."""
    if at is None:
        return None
    try:
        asked = datetime.fromisoformat(at)
        first, second = (_here(asked.replace(fold=each)) for each in (0, 1))
    except (ValueError, OverflowError, OSError):
        raise typer.BadParameter(f"{at!r} is not a time such as 2026-05-01T09:00+02:00.", param_hint="--at") from None
    if first > second:
        tell(f"{at} does not exist on this machine, where clocks go forward; it is {first:%H:%M} instead.")
        return first
    if first < second:
        which, other = ("second", "first") if fold else ("first", "second")
        tell(f"{at} comes twice on this machine, where clocks go back; it is the {which}, with --fold {1 - fold} the {other}.")
    return (first, second)[fold]


def _here(asked: datetime) -> datetime:
    """That moment by this machine's clocks. `astimezone` alone goes wrong for a time that they skip."""
    return asked.astimezone() if asked.tzinfo else datetime.fromtimestamp(asked.timestamp(), UTC).astimezone()


def times_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """When a post goes out, as a post says it; `--at` with a zone is that zone's local time."""
    zone, at = given.get("timezone"), given["at"]
    if given.get("draft") and (at or given.get("next_slot")):
        raise typer.BadParameter("goes without --at and --next-slot: a draft gets its time when it is released.", param_hint="--draft")
    fold = given.get("fold", 0)
    moment: datetime | str | None = at if zone and at else moment_of(at, fold)
    wanted = {
        "scheduled_at": moment,
        "timezone": zone,
        "fold": fold or None,
        "when": "draft" if given.get("draft") else "next_slot" if given.get("next_slot") else None,
        "if_missed": given.get("if_missed"),
    }
    return {name: value for name, value in wanted.items() if value is not None}


def metadata_of(given: Mapping[str, Any]) -> "Metadata":
    """The texts and options of a post, from a command's options by their names."""
    from pydantic import ValidationError

    from clipcast.publications.order import Metadata

    values = {name: given[option] for option, name in _METADATA.items()}
    values |= {"hashtags": given["hashtag"] or [], "transfer": "pull" if given["pull"] else "upload", "extra": _object(given["extra"])}
    try:
        return Metadata.model_validate(values)
    except ValidationError as error:
        raise wrong_use(error) from None


def wrong_use(error: "ValidationError") -> typer.BadParameter:
    """What a value that cannot be used is told, with the name that it has over HTTP."""
    problem = error.errors()[0]
    name, sentence = ".".join(map(str, problem["loc"])), problem["msg"].removeprefix("Value error, ")
    return typer.BadParameter(f"{name}: {sentence}." if name else f"{sentence}.")


def _object(text: str | None) -> dict[str, Any]:
    try:
        content = json.loads(text) if text else {}
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise typer.BadParameter('must be a JSON object such as {"post_info": {}}.', param_hint="--extra")
    return content


@dataclass(frozen=True, slots=True)
class OwnOption:
    """One `--option`: for one platform, or for all (an empty name)."""

    platform: str
    name: str
    value: Any


def own_options_of(given: Sequence[str] | None) -> list[OwnOption]:
    """The `--option`s, in the order given; a value that is no JSON is text.

    >>> own_options_of(["youtube.tags=[1, 2]", "audio_name=Harbour"])
    [OwnOption(platform='youtube', name='tags', value=[1, 2]), OwnOption(platform='', name='audio_name', value='Harbour')]
    """
    found = []
    for text in given or ():
        path, is_there, value = text.partition("=")
        platform, _, name = path.strip().rpartition(".")
        if not is_there or not name:
            raise typer.BadParameter(f"{text!r} is not NAME=VALUE.", param_hint="--option")
        found.append(OwnOption(platform.lower(), name, _json_or_text(value)))
    return found


def _json_or_text(text: str) -> Any:
    def refused(constant: str) -> None:
        raise ValueError(constant)  # NaN and the infinities are Python's, not JSON's

    try:
        return json.loads(text, parse_constant=refused)
    except ValueError:
        return text
