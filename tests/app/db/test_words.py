"""Words that others chose, in columns that end somewhere."""

from typing import Any

import pytest

from clipcast.accounts import store
from clipcast.accounts.models import SocialAccount
from clipcast.db.engine import Database
from clipcast.publications.models import Publication
from conftest import MovableClock


@pytest.mark.parametrize(
    ("given", "kept"),
    [("e" * 1001, "e" * 1000), ("a\x00b\ud800c", "a\ufffdb\ufffdc"), ("\U0001f3ac" * 1001, "\U0001f3ac" * 1000), (None, None)],
)
def test_a_platforms_sentence_is_kept_as_far_as_it_fits(db: Database, clock: MovableClock, given: str | None, kept: str | None) -> None:
    """That it was too long, or broken, must not hide the trouble that it tells of."""
    row = SocialAccount(platform="tiktok", username="maker", last_error=given, created_at=clock(), updated_at=clock())
    with db.writing() as session:
        store.add(session, row)

    with db.reading() as session:
        assert store.get(session, row.id).last_error == kept


@pytest.mark.parametrize(
    "column", [SocialAccount.last_error, SocialAccount.warning, Publication.error_code, Publication.error_message, Publication.note]
)
def test_wherever_platforms_speak_their_words_are_fitted(db: Database, column: Any) -> None:
    fit = column.type.bind_processor(db.engine.dialect)
    assert "\x00" not in fit("x\x00" * 5000)
    assert len(fit("x" * 5000)) == (column.type.longest or 5000)
