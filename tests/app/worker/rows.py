"""Publications as rows alone, for tests of who takes them up."""

from datetime import timedelta
from uuid import uuid4

from clipcast.accounts.models import SocialAccount
from clipcast.clips.models import Clip
from clipcast.db.engine import Database
from clipcast.posts.models import Post
from clipcast.publications import claims
from clipcast.publications.models import Publication
from clipcast.publications.states import State
from conftest import MovableClock


def written(
    db: Database, clock: MovableClock, due_in_s: dict[str, list[float]], *, platform: str = "tiktok", state: State = State.SCHEDULED
) -> dict[str, list[str]]:
    """Publications of these accounts, due in so many seconds; their ids by account."""
    now = clock()
    found: dict[str, list[str]] = {}
    with db.writing() as session:
        facts = {"file_name": "a.mp4", "storage_key": "x", "size_bytes": 1, "content_type": "video/mp4", "width": 540, "height": 960}
        clip = Clip(kind="video", sha256=uuid4().hex * 2, created_at=now, **facts)
        post = Post(created_at=now, updated_at=now)
        session.add_all([clip, post])
        session.flush()
        for name, moments in due_in_s.items():
            account = SocialAccount(platform=platform, username=f"{name}-{uuid4().hex[:8]}", kind="main", created_at=now, updated_at=now)
            session.add(account)
            session.flush()
            rows = [
                Publication(
                    post_id=post.id,
                    clip_id=clip.id,
                    platform=platform,
                    social_account_id=account.id,
                    order={},
                    state=state,
                    scheduled_at=now + timedelta(seconds=moment),
                    next_action_at=now + timedelta(seconds=moment),
                    requested_at=now,
                    created_at=now,
                    updated_at=now,
                )
                for moment in moments
            ]
            session.add_all(rows)
            session.flush()
            found[name] = [row.id for row in rows]
    return found


def claimed(db: Database, clock: MovableClock, publication_id: str, owner: str = "somebody") -> list[str]:
    """The ids of what this owner could take: this one or none."""
    with db.writing() as session:
        return [lease.publication_id for lease in claims.claim(session, clock(), 1, owner=owner, only=[publication_id])]


def change(db: Database, publication_id: str, **values: object) -> None:
    """Write into the row past everything."""
    with db.writing() as session:
        row = session.get_one(Publication, publication_id)
        for name, value in values.items():
            setattr(row, name, value)
