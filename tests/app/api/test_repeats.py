"""A request that makes something and is sent again with its `Idempotency-Key` makes it once."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest

from app.api.calling import Answer, Api, new_account
from clipcast.api.app import create_app
from clipcast.system import Clipcast

#: POSTs that need no key, and why a second one does no harm.
SAFE_TWICE: Final = {
    "/accounts/{account_id}/disconnection": "what is disconnected stays so",
    "/accounts/{account_id}/refresh": "one renewal at a time, and a fresh token is as good as the one before",
    "/clips": "the same bytes are one clip",
    "/clips/{clip_id}/renditions": "the same rendition is made once",
    "/login": "a session more; the one that this browser had ends",
    "/logout": "who is out stays out",
    "/oauth/{platform}/choice": "a consent is spent once",
    "/posts/preflight": "writes nothing",
    "/posts/{post_id}/cancellation": "what is cancelled stays so",
    "/publications/preflight": "writes nothing",
    "/publications/{publication_id}/attempts": "409 while one is under way",
    "/publications/{publication_id}/cancellation": "what is cancelled stays so",
    "/publications/{publication_id}/checks": "it only looks",
    "/publications/{publication_id}/decision": "409 once it is decided",
    "/recurrences/{recurrence_id}/cancellation": "what is cancelled stays so",
    "/schedules/import": "each row has a key of its own",
    "/sessions": "a session more; the one that this browser had ends",
    "/welcome": "a link works once",
}

MAKES: Final[Mapping[str, dict[str, Any]]] = {
    "/accounts": {"platform": "tiktok", "username": "new_one", "credentials": {"access_token": "act.1", "open_id": "open_1"}},
    "/apikeys": {"name": "uploader", "role": "editor"},
    "/calendar/feeds": {"name": "my telephone"},
    "/people/invitations": {"role": "viewer"},
}


def test_every_post_takes_a_key_or_does_no_harm_twice(clipcast: Clipcast) -> None:
    paths = create_app(clipcast).openapi()["paths"]
    taking = {path for path, calls in paths.items() if "post" in calls and _takes_key(calls["post"])}
    posts = {path for path, calls in paths.items() if "post" in calls}
    assert {"/posts", "/publishing/publish", "/recurrences", *MAKES} <= taking
    assert posts - taking == SAFE_TWICE.keys() & posts
    assert not taking & SAFE_TWICE.keys()


@pytest.mark.parametrize("path", MAKES)
def test_what_is_asked_for_twice_is_made_once(idle_api: Api, path: str) -> None:
    before = _made(idle_api, path)
    first, second = (_post(idle_api, path, MAKES[path], key="once") for _ in range(2))
    assert first.status == 201
    _same_or_told(first, second)
    assert len(_made(idle_api, path)) == len(before) + 1


@pytest.mark.parametrize("path", MAKES)
def test_of_many_at_once_one_makes_it(idle_api: Api, path: str) -> None:
    before = _made(idle_api, path)
    with ThreadPoolExecutor(8) as crowd:
        answers = list(crowd.map(lambda _: _post(idle_api, path, MAKES[path], key="crowd"), range(8)))
    first, *others = sorted(answers, key=lambda answer: answer.status)
    assert first.status == 201
    for other in others:
        _same_or_told(first, other)
    assert len(_made(idle_api, path)) == len(before) + 1


@pytest.mark.parametrize("path", MAKES)
def test_another_request_with_the_key_is_refused(idle_api: Api, path: str) -> None:
    named = {name: f"{value}_2" for name, value in MAKES[path].items() if name in ("name", "username")} or {"role": "editor"}
    assert _post(idle_api, path, MAKES[path], key="mine").status == 201
    answer = _post(idle_api, path, MAKES[path] | named, key="mine")
    assert (answer.status, answer.code) == (409, "idempotency_key_reused")


def test_credentials_that_differ_are_another_request_and_are_not_kept_to_compare(idle_api: Api) -> None:
    account = MAKES["/accounts"]
    assert _post(idle_api, "/accounts", account, key="mine").status == 201
    other = account | {"credentials": account["credentials"] | {"access_token": "act.2"}}
    assert _post(idle_api, "/accounts", other, key="mine").code == "idempotency_key_reused"


def test_what_was_refused_can_be_asked_for_again_with_its_key(idle_api: Api) -> None:
    wanted = MAKES["/accounts"] | {"kind": "satellite", "main_account_id": "nobody"}
    assert _post(idle_api, "/accounts", wanted, key="mine").status in (400, 404)
    assert _post(idle_api, "/accounts", MAKES["/accounts"], key="mine").status == 201


def test_a_key_counts_for_its_endpoint_alone(idle_api: Api) -> None:
    assert {_post(idle_api, path, wanted, key="everywhere").status for path, wanted in MAKES.items()} == {201}


def test_a_recurrence_is_made_once(idle_api: Api, image: Path) -> None:
    wanted = {
        "post": {"clip_ids": [idle_api.upload(image)], "caption": "hi", "targets": [{"account_id": new_account(idle_api, "weekly")}]},
        "rule": "FREQ=WEEKLY;BYDAY=TU",
        "starts_at": "2030-01-01T09:00:00",
        "timezone": "Europe/Berlin",
    }
    first, second = (_post(idle_api, "/recurrences", wanted, key="once") for _ in range(2))
    assert (first.status, second.status) == (201, 201), first.body
    assert first.json["id"] == second.json["id"]
    assert _post(idle_api, "/recurrences", wanted, key="another").code == "conflict"


def _takes_key(call: Mapping[str, Any]) -> bool:
    return any(parameter["name"] == "Idempotency-Key" for parameter in call.get("parameters", []))


def _post(api: Api, path: str, wanted: object, *, key: str) -> Answer:
    return api("POST", path, wanted, Idempotency_Key=key)


def _same_or_told(first: Answer, second: Answer) -> None:
    """The same once more; or, where a secret came with it, which one it was, so that it can be revoked."""
    if second.status == 409:
        assert second.code == "shown_once"
        assert first.json["id"] in second.json["detail"]
        assert {"key", "url"} & first.json.keys()
    else:
        assert (second.status, second.json["id"]) == (201, first.json["id"])


def _made(api: Api, path: str) -> list[str]:
    answer = api("GET", path).json
    rows = answer if isinstance(answer, list) else next(value for value in answer.values() if isinstance(value, list))
    return [row["id"] for row in rows]
