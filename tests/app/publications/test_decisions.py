"""A person decides about an uncertain publication, but not before the search is over."""

from datetime import UTC, datetime, timedelta

import pytest

from clipcast.clips.models import Clip
from clipcast.db.engine import Database
from clipcast.errors import Conflict
from clipcast.posts.models import Post
from clipcast.publications import publishing, store
from clipcast.publications.models import Publication
from clipcast.publications.states import State

NOW = datetime(2026, 3, 8, 9, 30, tzinfo=UTC)


@pytest.fixture
def uncertain(db: Database) -> str:
    """A publication whose answer was lost, and that is looked for again in a minute."""
    facts = {
        "kind": "video",
        "file_name": "a.mp4",
        "storage_key": "k",
        "size_bytes": 1,
        "content_type": "video/mp4",
        "width": 9,
        "height": 16,
    }
    with db.writing() as session:
        session.add(clip := Clip(sha256="0" * 64, created_at=NOW, **facts))
        session.add(post := Post(created_at=NOW, updated_at=NOW))
        session.flush()
        publication = Publication(
            post_id=post.id,
            clip_id=clip.id,
            platform="tiktok",
            order={},
            state=State.UNCERTAIN,
            flow={"version": 1},
            irreversible_at=NOW,
            next_action_at=NOW + timedelta(minutes=1),
            **dict.fromkeys(("scheduled_at", "requested_at", "created_at", "updated_at"), NOW),
        )
        session.add(publication)
        session.flush()
        return publication.id


def decide(db: Database, publication_id: str, *, is_live: bool) -> Publication:
    with db.writing() as session:
        return publishing.decide(session, publication_id, is_live=is_live, external_url=None, now=NOW)


def give_up_looking(db: Database, publication_id: str) -> None:
    with db.writing() as session:
        store.get(session, publication_id).next_action_at = None


def test_it_does_not_start_over_while_the_post_may_yet_appear(db: Database, uncertain: str) -> None:
    with pytest.raises(Conflict, match="09:31:00 UTC"):
        decide(db, uncertain, is_live=False)

    with db.reading() as session:
        row = store.get(session, uncertain)
    assert (row.state, row.flow, row.attempt) == (State.UNCERTAIN, {"version": 1}, 1)


def test_it_starts_over_once_the_search_is_over(db: Database, uncertain: str) -> None:
    give_up_looking(db, uncertain)

    row = decide(db, uncertain, is_live=False)

    assert (row.state, row.flow, row.irreversible_at, row.attempt, row.next_action_at) == (State.SCHEDULED, None, None, 2, NOW)


def test_that_it_is_live_may_be_said_at_any_time(db: Database, uncertain: str) -> None:
    row = decide(db, uncertain, is_live=True)

    assert (row.state, row.published_at, row.next_action_at) == (State.PUBLISHED, NOW, None)
