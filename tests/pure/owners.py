"""What the tests of all platforms' linking share: an owner's consent, a platform that answers from a list, and answers gone wrong."""

import json
from collections.abc import Generator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import strategies as st

from clipcast.errors import ClipcastError
from clipcast.platforms.base import Answer, Request
from clipcast.platforms.consent import Consent, Linkable

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
STATE = "af0ifjsldkj"
REDIRECT = "https://clips.example.com/oauth/callback"

Linking = Generator[Request, Answer, Sequence[Linkable]]

_LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
GARBAGE = st.recursive(_LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3))
STATUSES = st.sampled_from([200, 200, 200, 201, 204, 301, 400, 401, 403, 404, 408, 429, 500, 503])


def consent(login: str = "") -> Consent:
    """What is asked of the owner."""
    return Consent(REDIRECT, STATE, VERIFIER, login)


def said(status: int, body: object) -> Answer:
    """A platform's answer: JSON, or bytes as they are."""
    return Answer(status, {}, body if isinstance(body, bytes) else json.dumps(body).encode())


def played(linking: Linking, answers: Sequence[Answer]) -> tuple[list[Request], list[Linkable]]:
    """All that linking asked for, and what came of these answers; every one of them is used, and no more are wanted."""
    asked, left = [next(linking)], list(answers)
    while left:
        try:
            asked.append(linking.send(left.pop(0)))
        except StopIteration as end:
            found: list[Linkable] = list(end.value)
            if left:
                pytest.fail(f"{len(left)} answers were never asked for")
            return asked, found
    return pytest.fail(f"still asks for {asked[-1].method} {asked[-1].url}")


def survived(linking: Linking, answers: Sequence[Answer]) -> list[Linkable]:
    """What came of these answers; nothing where one of our errors did, or where more was asked for."""
    try:
        next(linking)
        for answer in answers:
            linking.send(answer)
    except StopIteration as end:
        return list(end.value)
    except ClipcastError:
        pass
    return []


def spoilt(good: Sequence[Answer]) -> st.SearchStrategy[list[Answer]]:
    """The good answers up to one that went wrong: another status, or garbage in place of a part or all of it."""
    return st.integers(0, len(good) - 1).flatmap(lambda at: _wrong(good[at]).map(lambda wrong: [*good[:at], wrong]))


def _wrong(answer: Answer) -> st.SearchStrategy[Answer]:
    body: dict[str, Any] = json.loads(answer.body)
    changed = st.tuples(st.sampled_from(sorted(body)), GARBAGE).map(lambda change: {**body, change[0]: change[1]})
    anything = st.one_of(changed, GARBAGE, st.sampled_from([b"", b"<html>", b"[" * 2000]))
    return st.builds(said, STATUSES, anything)
