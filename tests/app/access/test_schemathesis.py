"""The whole document, fuzzed as each role: nothing breaks, every answer is as promised, nobody gets further than their role.

Deterministic, and small enough for every run of the tests; `CLIPCAST_TEST_EXAMPLES=500 make test
ARGS=tests/app/access/test_schemathesis.py` digs deeper.
Most requests ask for what is really there: random ids alone would only ever find that there is nothing.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks
from sqlalchemy import select

from app.access.roles import ALL, PUBLISH, READ
from app.api.calling import Api, new_account
from clipcast.db.base import Base
from clipcast.db.engine import Database
from clipcast.system import Clipcast
from keys import bearer, new_key

EXAMPLES: Final = int(os.environ.get("CLIPCAST_TEST_EXAMPLES", "4"))
"""Requests for each operation and kind of input."""

PROMISES: Final = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
]
ROLES: Final = {"nobody": frozenset[str](), "viewer": READ, "editor": PUBLISH, "owner": ALL}
MAY_CHANGE: Final = frozenset({"api_keys", "calendar_feeds", "used_keys"})
"""What readers change: when their key was used last, and feeds of their own, which end with them, each perhaps asked for with a key."""

pytestmark = pytest.mark.timeout(240 + 30 * EXAMPLES)


@pytest.fixture
def known(idle_api: Api, video: Path, image: Path) -> dict[str, list[str]]:
    """What is there, by the names under which requests speak of it."""
    api = idle_api
    clips = [api.upload(video), api.upload(image)]
    accounts = [new_account(api, f"maker_{platform}", platform) for platform in ("tiktok", "youtube")]
    posts = [_post(api, clips[0], accounts, f"number {number}") for number in range(2)]
    publications = [each["id"] for post in posts for each in api("GET", f"/posts/{post}").json["publications"]]
    return {
        "clip_id": clips,
        "clip_ids": clips,
        "slideshow_of": clips[1:],
        "account_id": accounts,
        "social_account_id": accounts,
        "main_account_id": accounts,
        "post_id": posts,
        "publication_id": publications,
        "purpose": ["original"],
    }


def _post(api: Api, clip_id: str, accounts: list[str], caption: str) -> str:
    answer = api("POST", "/posts", {"clip_ids": [clip_id], "caption": caption, "targets": [{"account_id": each} for each in accounts]})
    assert answer.status == 201, answer.body
    return str(answer.json["id"])


def with_real(value: Any, known: dict[str, list[str]], pick: Callable[[list[str]], str]) -> Any:
    """The same with ids of what is there, wherever one is named."""
    if isinstance(value, dict):
        return {name: _real(name, each, known, pick) for name, each in value.items()}
    return [with_real(each, known, pick) for each in value] if isinstance(value, list) else value


def _real(name: str, value: Any, known: dict[str, list[str]], pick: Callable[[list[str]], str]) -> Any:
    if name in known and isinstance(value, str):
        return pick(known[name])
    if name in known and isinstance(value, list):
        return [pick(known[name]) for _ in value[:3]]
    return with_real(value, known, pick)


def contents(db: Database) -> dict[str, str]:
    """A digest of each table's rows, in the order of their keys."""
    with db.reading() as session:
        tables = [table for table in Base.metadata.sorted_tables if table.name not in MAY_CHANGE]
        rows = {table.name: session.execute(select(table).order_by(*table.primary_key)).all() for table in tables}
    return {name: hashlib.sha256(repr(found).encode()).hexdigest() for name, found in rows.items()}


@dataclass(frozen=True)
class Caller:
    """Somebody with a role, who tries everything."""

    role: str
    url: str
    known: dict[str, list[str]]
    http: requests.Session
    answers: Counter[int]

    def tries(self, operation: Any) -> None:
        """Call the operation as its document says, and then as it does not."""
        needed = {scope for each in operation.definition.raw.get("security", []) for scopes in each.values() for scope in scopes}
        refusal = None if needed <= ROLES[self.role] else 401 if self.role == "nobody" else 403

        def holds(case: Case[Any], *, real: bool, random: Random) -> None:
            response = self._call(case, random.choice if real else None)
            assert response.status_code == refusal if refusal else response.status_code != 401 or not needed

        for mode in GenerationMode:
            _fuzz(operation.as_strategy(generation_mode=mode), holds)

    def _call(self, case: Case[Any], pick: Callable[[list[str]], str] | None) -> Any:
        if pick:
            case.path_parameters = with_real(dict(case.path_parameters), self.known, pick)
            case.query = with_real(dict(case.query), self.known, pick)
            case.body = with_real(case.body, self.known, pick)
        response = case.call(base_url=self.url, session=self.http)
        self.answers[response.status_code] += 1
        case.validate_response(response, checks=PROMISES)
        return response


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as opened:
        opened.trust_env = False
        yield opened


@pytest.mark.parametrize("role", ROLES)
def test_the_interface_keeps_its_promises_to_each_role(
    role: str, idle_api: Api, clipcast: Clipcast, known: dict[str, list[str]], http: requests.Session
) -> None:
    if role != "nobody":
        http.headers.update(bearer(new_key(clipcast.db, role)))
    caller, before = Caller(role, idle_api.url, known, http, Counter()), contents(clipcast.db)

    for found in schemathesis.openapi.from_dict(idle_api.document).get_all_operations():
        caller.tries(found.ok())  # type: ignore[union-attr]  # an operation that cannot be read fails the test here

    assert caller.answers
    assert (contents(clipcast.db) == before) == (role in {"nobody", "viewer"}), caller.answers


def _fuzz(cases: st.SearchStrategy[Case[Any]], holds: Callable[..., None]) -> None:
    """Call `holds` with many cases, always the same ones; an operation that cannot be called wrongly has none of one kind."""
    check = given(case=cases, real=st.sampled_from([True, True, False]), random=st.randoms(use_true_random=False))(holds)
    phases = (Phase.explicit, Phase.generate, Phase.shrink)
    tolerated = list(HealthCheck)
    limits = settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, phases=phases, suppress_health_check=tolerated)
    with suppress(Unsatisfiable):
        limits(check)()
