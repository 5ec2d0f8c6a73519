"""Who plays: the media, the accounts and the three posts of the demonstration."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clipcast.accounts import store as accounts
from clipcast.accounts.models import SocialAccount
from clipcast.clips.models import Clip
from clipcast.clips.sample import make_sample_image, make_sample_video
from clipcast.db.base import new_id
from clipcast.errors import InvalidRequest
from clipcast.posts import compose
from clipcast.publications.order import Metadata
from clipcast.publications.publishing import PublishRequest
from clipcast.system import Clipcast

SAMPLE_BYTES: Final = 66_000_000
"""TikTok takes up to 64 MB in one piece: a little more is uploaded in several, which shows where an upload resumes."""
IMAGES: Final = 4


@dataclass(frozen=True, slots=True)
class Role:
    """One of the posts: what it is called, its publication, and the SHA-256 of each file that has to arrive."""

    what: str
    username: str
    publication_id: str
    sha256: tuple[str, ...]

    @property
    def name(self) -> str:
        """How the screen calls it."""
        return f"{self.what} @{self.username}"


@dataclass(slots=True)
class Cast:
    """The posts; the worker is killed in the middle of the upload of `victim`, and the carousel comes while nobody works."""

    clipcast: Clipcast
    video: Clip
    images: list[Clip]
    victim: Role
    draft: Role
    carousel: Role | None = None

    @property
    def roles(self) -> tuple[Role, ...]:
        """Those that have been written."""
        return (self.victim, self.draft) if self.carousel is None else (self.victim, self.draft, self.carousel)

    def bring_carousel(self) -> None:
        """Write the photo post; a worker will find it."""
        metadata = Metadata(title="Four walls", clip_ids=[image.id for image in self.images])
        self.carousel = _role(self.clipcast, "photo carousel", "lena.photos", self.images, metadata)


def gather(clipcast: Clipcast, directory: Path, file: Path | None) -> Cast:
    """Take the media into the library and write the two posts of the video; nobody works on them yet.

    Raises:
        InvalidRequest, NotFound: the user's file cannot be published; the sentence says why.
    """
    video = clipcast.library.add_file(file or make_sample_video(directory / "sample.mp4", seconds=4, min_bytes=SAMPLE_BYTES))
    if video.kind != "video":
        raise InvalidRequest(f"{file} is an image, and the demonstration needs a video (MP4, MOV or WebM).")
    sources = [make_sample_image(directory / f"photo-{number}.jpg", width=540, height=960, seed=number) for number in range(IMAGES)]
    return Cast(
        clipcast=clipcast,
        video=video,
        images=[clipcast.library.add_file(source) for source in sources],
        victim=_role(clipcast, "direct post", "lena", [video], Metadata(caption="Sunset at the harbour", hashtags=["clipcast"])),
        draft=_role(clipcast, "inbox draft", "lena.drafts", [video], Metadata(mode="inbox")),
    )


def _role(clipcast: Clipcast, what: str, username: str, clips: Sequence[Clip], metadata: Metadata) -> Role:
    now = clipcast.clock()
    account = SocialAccount(id=new_id(), platform="tiktok", username=username, kind="main", status="active", created_at=now, updated_at=now)
    with clipcast.db.writing() as session:
        accounts.add(session, account)
        request = PublishRequest(clip_id=clips[0].id, platform="tiktok", social_account_id=account.id, metadata=metadata)
        publication = compose.publish(session, request, clipcast.platforms, now)
    return Role(what, username, publication.id, tuple(clip.sha256 for clip in clips))
