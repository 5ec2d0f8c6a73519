"""From what a caller asks for to what a platform's flow is given."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool
from sqlalchemy.orm import Session

from clipcast.clips import store as clips
from clipcast.clips.media import media_of
from clipcast.platforms.base import AnyPlatform, Credentials, Media, Order, Privacy
from clipcast.publications.fitted import fitted


class Metadata(BaseModel):
    """What to publish besides the clip itself: texts and options, by the names of the public API.

    Unknown names are refused: an option that is silently ignored is a surprise on a public page.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    caption: str = Field(
        default="", max_length=100_000, description="The post's text; hashtags and mentions are recognised by the platform."
    )
    hashtags: list[Annotated[str, Field(max_length=200)]] = Field(
        default_factory=list, max_length=200, description="Added to the caption's end; the leading # may be left out."
    )
    title: str = Field(default="", max_length=10_000, description="A title, where the platform has one (TikTok photo sets, YouTube).")
    privacy: Privacy = Field(default="public", description="Who may see it; checked against what the account may use.")
    mode: str = Field(default="", max_length=20, description="TikTok: `direct` (default) or `inbox`, a draft that the creator finishes.")
    transfer: Literal["upload", "pull"] = Field(default="upload", description="`pull` lets the platform fetch the video by a signed URL.")
    allow_comments: bool = True
    allow_duet: bool = True
    allow_stitch: bool = True
    brand_content: bool = Field(default=False, description="A paid partnership with a third party.")
    brand_organic: bool = Field(default=False, description="Promotes the creator's own business.")
    ai_generated: bool = Field(default=False, description="Labels the post as made with AI.")
    auto_add_music: bool = Field(default=False, description="TikTok photo sets: let TikTok choose music.")
    cover_ms: int | None = Field(default=None, ge=0, le=14_400_000, description="The moment of the video that becomes its cover, in ms.")
    cover_index: int = Field(default=0, ge=0, le=100, description="Which image of a photo set is its cover, from 0.")
    clip_ids: list[str] = Field(default_factory=list, max_length=100, description="A photo set: its images in order.")
    cover_clip_id: str | None = Field(
        default=None, max_length=100, description="An image to use as the cover, where the platform takes one."
    )
    auto_fit: StrictBool = Field(
        default=False,
        description="Post a converted copy of files whose form the platform does not take (codec, frame rate, size; never the length).",
    )
    options: dict[str, Any] = Field(default_factory=dict, description="The platform's own options; preflight says which it does not know.")
    extra: dict[str, Any] = Field(default_factory=dict, description="Merged last into the platform's own request.")


def with_hashtags(caption: str, hashtags: Sequence[str]) -> str:
    """The caption with those hashtags at its end that it does not contain yet.

    >>> with_hashtags("Sunset #travel", ["travel", "#sea", " "])
    'Sunset #travel #sea'
    """
    present = {word.lower() for word in caption.split()}
    tags = dict.fromkeys(f"#{tag.strip().lstrip('#')}" for tag in hashtags if tag.strip().lstrip("#"))
    missing = [tag for tag in tags if tag.lower() not in present]
    return " ".join([caption, *missing] if caption else missing)


def build_order(
    session: Session, clip_id: str, metadata: Metadata, *, platform: AnyPlatform, username: str, credentials: Credentials
) -> Order:
    """The order of these texts and options for these clips, to this account; with `auto_fit`, of their conversions where there are any.

    Raises:
        NotFound: one of the clips is unknown.
    """
    fields = metadata.model_dump(exclude={"caption", "hashtags", "clip_ids", "cover_clip_id", "auto_fit"})
    order = Order(
        media=tuple(_media(session, each, platform) for each in metadata.clip_ids or [clip_id]),
        cover=_media(session, metadata.cover_clip_id, platform) if metadata.cover_clip_id else None,
        caption=with_hashtags(metadata.caption, metadata.hashtags),
        username=username,
        account={name: credentials.get(name) for name in platform.account_facts},
        **fields,
    )
    return fitted(session, order, platform) if metadata.auto_fit else order


def _media(session: Session, clip_id: str, platform: AnyPlatform) -> Media:
    """The facts of a clip in the form that the platform takes."""
    return media_of(clips.get_clip(session, clip_id), clips.renditions_of(session, clip_id), platform.accepted_images)
