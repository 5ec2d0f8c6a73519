"""The options that say what to publish, shared by `publish` and `preflight`, and what they mean to the domain."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

import typer

if TYPE_CHECKING:
    from clipcast.publications.order import Metadata
    from clipcast.publications.publishing import PublishRequest
    from clipcast.system import Clipcast


class Privacy(StrEnum):
    """Who may see the post."""

    PUBLIC = "public"
    FRIENDS = "friends"
    FOLLOWERS = "followers"
    PRIVATE = "private"


MediaArgument: TypeAlias = Annotated[
    list[str], typer.Argument(metavar="FILE_OR_URL...", help="A video, an image, or several images; files, http(s) URLs or clip ids.")
]
To: TypeAlias = Annotated[
    list[str],
    typer.Option("--to", metavar="PLATFORM[:USERNAME]", help="Where to: the platform's main account, or the one named. Repeat for more."),
]
Caption: TypeAlias = Annotated[str, typer.Option("--caption", help="The post's text.")]
Title: TypeAlias = Annotated[str, typer.Option("--title", help="A title, where the platform has one (TikTok photo sets).")]
Hashtags: TypeAlias = Annotated[
    list[str] | None, typer.Option("--hashtag", metavar="TAG", help="Added to the caption's end, with or without #. Repeat for more.")
]
PrivacyOption: TypeAlias = Annotated[Privacy, typer.Option("--privacy", help="Who may see it.")]
Mode: TypeAlias = Annotated[
    str, typer.Option("--mode", help="TikTok: direct (default) or inbox, a draft that the creator finishes in the app.")
]
At: TypeAlias = Annotated[
    str | None,
    typer.Option("--at", metavar="TIME", help="When, as ISO 8601 (2026-05-01T09:00); without a zone it is this machine's. Default: now."),
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
    parts = [text.partition(":") for text in to]
    return [Where(platform.strip().lower(), username.strip().removeprefix("@")) for platform, _, username in parts]


def moment_of(at: str | None) -> datetime | None:
    """The time that `--at` names, aware; a time without a zone is this machine's."""
    if at is None:
        return None
    try:
        return datetime.fromisoformat(at).astimezone()
    except (ValueError, OverflowError):
        raise typer.BadParameter(f"{at!r} is not a time such as 2026-05-01T09:00+02:00.", param_hint="--at") from None


def metadata_of(given: Mapping[str, Any]) -> "Metadata":
    """The texts and options of a post, from a command's options by their names."""
    from pydantic import ValidationError

    from clipcast.publications.order import Metadata

    values = {name: given[option] for option, name in _METADATA.items()}
    values |= {"hashtags": given["hashtag"] or [], "transfer": "pull" if given["pull"] else "upload", "extra": _object(given["extra"])}
    try:
        return Metadata.model_validate(values)
    except ValidationError as error:
        problem = error.errors()[0]
        raise typer.BadParameter(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}.") from None


def _object(text: str | None) -> dict[str, Any]:
    try:
        content = json.loads(text) if text else {}
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise typer.BadParameter('must be a JSON object such as {"post_info": {}}.', param_hint="--extra")
    return content


def requests_of(
    clipcast: "Clipcast", media: Sequence[str], targets: Sequence[Where], metadata: "Metadata", scheduled_at: datetime | None
) -> "list[PublishRequest]":
    """One request per target; the media are taken into the library first.

    Raises:
        NotFound, InvalidRequest, Busy: a file or an account is not usable; nothing was published.
    """
    from clipcast.cli.media import clip_of
    from clipcast.publications.publishing import PublishRequest

    account_ids = _account_ids(clipcast, targets)
    clip_ids = [clip_of(clipcast, source).id for source in media]
    of_set = metadata.model_copy(update={"clip_ids": clip_ids if len(clip_ids) > 1 else []})
    return [
        PublishRequest(
            clip_id=clip_ids[0], platform=target.platform, social_account_id=account_id, metadata=of_set, scheduled_at=scheduled_at
        )
        for target, account_id in zip(targets, account_ids, strict=True)
    ]


def _account_ids(clipcast: "Clipcast", targets: Sequence[Where]) -> list[str | None]:
    """The accounts that these targets mean; None where a platform has none yet. Meaning one account twice would post twice."""
    from clipcast.accounts import store as accounts

    found: dict[tuple[str, str | None], str] = {}
    with clipcast.db.reading() as session:
        for target in targets:
            account = accounts.by_username(session, target.platform, target.username) if target.username else None
            if target.username and account is None:
                raise _unknown(target)
            meant = account or accounts.main_account(session, target.platform)
            place = (target.platform, meant.id if meant else None)
            if place in found:
                who = f"@{meant.username}" if meant else "the same account"
                raise typer.BadParameter(f"{found[place]} and {target} are both {who}; that would post twice.", param_hint="--to")
            found[place] = str(target)
    return [account_id for _, account_id in found]


def _unknown(target: Where) -> Exception:
    from clipcast.errors import NotFound

    advice = f"Add it: clipcast accounts add {target.platform} {target.username}"
    return NotFound(f"There is no account @{target.username} on {target.platform}. {advice}")
