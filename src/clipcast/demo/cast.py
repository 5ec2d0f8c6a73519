"""Who plays: the media, the accounts, and the posts of the demonstration with all their targets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy.orm import Session

from clipcast.accounts import store as accounts
from clipcast.accounts.models import SocialAccount
from clipcast.clips.models import Clip
from clipcast.clips.sample import make_sample_image, make_sample_video
from clipcast.db.base import new_id
from clipcast.errors import InvalidRequest
from clipcast.posts import compose, store
from clipcast.posts.schemas import PostIn, TargetIn
from clipcast.publications.publishing import checked_target
from clipcast.system import Clipcast

SAMPLE_BYTES: Final = 66_000_000
"""TikTok takes up to 64 MB in one piece: a little more is uploaded in several, which shows where an upload resumes."""
IMAGES: Final = 3


@dataclass(frozen=True, slots=True)
class Part:
    """One target: how it is called, and at which share of its upload the worker is killed, if it is."""

    platform: str
    what: str
    username: str
    mode: str = ""
    killed_at: float | None = None

    @property
    def name(self) -> str:
        """How the screen calls it."""
        return f"{self.what} @{self.username}"


VIDEO: Final = (
    Part("tiktok", "TikTok video", "lena", killed_at=0.45),
    Part("youtube", "YouTube short", "lena", killed_at=0.65),
    Part("instagram", "Instagram reel", "lena", killed_at=0.85),
    Part("tiktok", "TikTok draft", "lena.drafts", mode="inbox"),
)
"""The deaths follow each other while all four are on their way."""
DRAFT: Final = VIDEO[-1]
PHOTOS: Final = (Part("tiktok", "TikTok photos", "lena.photos"), Part("instagram", "Instagram carousel", "lena.photos"))


@dataclass(frozen=True, slots=True)
class Role:
    """A target with its publication, and the SHA-256 of each file that has to arrive."""

    part: Part
    publication_id: str
    sha256: tuple[str, ...]

    @property
    def name(self) -> str:
        """How the screen calls it."""
        return self.part.name


@dataclass(slots=True)
class Cast:
    """The publications; those of the photos come while nobody works. `unfit` says what the user's own video is not taken for, and why."""

    clipcast: Clipcast
    video: Clip
    images: list[Clip]
    roles: list[Role]
    unfit: list[str]
    has_photos: bool = False

    @property
    def victims(self) -> list[Role]:
        """In the middle of whose uploads a worker is killed."""
        return [role for role in self.roles if role.part.killed_at is not None]

    def bring_photos(self) -> None:
        """Write the post of the photos; a worker will find it."""
        self.has_photos = True
        roles, unfit = _post(self.clipcast, PHOTOS, self.images, {"caption": "Three views of the harbour"})
        self.roles += roles
        self.unfit += unfit


def gather(clipcast: Clipcast, directory: Path, file: Path | None) -> Cast:
    """Take the media into the library and write the post of the video; nobody works on it yet.

    Raises:
        InvalidRequest, NotFound: the user's file cannot be published anywhere; the sentence says why.
    """
    video = clipcast.library.add_file(file or make_sample_video(directory / "sample.mp4", seconds=4, min_bytes=SAMPLE_BYTES))
    if video.kind != "video":
        raise InvalidRequest(f"{file} is an image, and the demonstration needs a video (MP4, MOV or WebM).")
    sources = [make_sample_image(directory / f"photo-{number}.jpg", width=720, height=900, seed=number) for number in range(IMAGES)]
    images = [clipcast.library.add_file(source) for source in sources]
    texts = {"caption": "Sunset at the harbour", "title": "Sunset at the harbour", "hashtags": ["clipcast"]}
    roles, unfit = _post(clipcast, VIDEO, [video], texts)
    if not roles:
        raise InvalidRequest(" ".join(unfit))
    return Cast(clipcast, video, images, roles, unfit)


def _post(clipcast: Clipcast, parts: Sequence[Part], clips: Sequence[Clip], texts: Mapping[str, Any]) -> tuple[list[Role], list[str]]:
    """One post to as many of these accounts as take it, and a sentence about each that does not."""
    with clipcast.db.writing() as session:
        targets = {part: TargetIn(account_id=_account(clipcast, session, part), options={"mode": part.mode}) for part in parts}
        wanted = PostIn(clip_ids=[clip.id for clip in clips], targets=list(targets.values()), **texts)
        refused = {part: _refusal(clipcast, session, wanted, target) for part, target in targets.items()}
        fitting = [target for part, target in targets.items() if not refused[part]]
        rows = {}
        if fitting:
            post = compose.create(session, wanted.model_copy(update={"targets": fitting}), clipcast.platforms, clipcast.clock())
            rows = {row.social_account_id: row.id for row in store.publications_of(session, post.id)}
    sha256 = tuple(clip.sha256 for clip in clips)
    roles = [Role(part, rows[target.account_id], sha256) for part, target in targets.items() if target.account_id in rows]
    return roles, [f"{part.name} is left out: {refusal}" for part, refusal in refused.items() if refusal]


def _refusal(clipcast: Clipcast, session: Session, wanted: PostIn, target: TargetIn) -> str:
    alone = wanted.model_copy(update={"targets": [target]})
    try:
        for request in compose.requests_of(session, alone, clipcast.platforms):
            checked_target(session, request, clipcast.platforms, clipcast.clock())
    except InvalidRequest as error:
        return str(error)
    return ""


def _account(clipcast: Clipcast, session: Session, part: Part) -> str:
    now = clipcast.clock()
    account = SocialAccount(
        id=new_id(), platform=part.platform, username=part.username, kind="main", status="active", created_at=now, updated_at=now
    )
    accounts.add(session, account)
    return account.id
