"""Every operation of the document, called by everybody who may not, and by everybody who may."""

import re
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import urllib3

from app.access.roles import GRANTED, NOBODY
from app.access.test_declarations import OPEN
from app.api.calling import Api
from clipcast.system import Clipcast

#: Who may what does not depend on the database; that a key is found in either, every other test of the server shows.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

HTTP = urllib3.PoolManager(retries=False, timeout=30)
TROUBLE = b'{"clip_id": \x00 this is no JSON and must not be looked at'
"""A body that anybody who reads it trips over."""
FOR_PEOPLE = {"PATCH /people/me"}
"""What no key may do: it has no name or password of its own."""


def operations(api: Api) -> Iterator[tuple[str, str, frozenset[str], Any]]:
    """Each with its method, an address of something that is not there, and the permissions that it asks for."""
    for path, methods in api.document["paths"].items():
        for method, operation in methods.items():
            needed = frozenset(scope for each in operation.get("security", []) for scopes in each.values() for scope in scopes)
            yield method.upper(), path, needed, operation


def ask(api: Api, method: str, path: str, headers: Any, body: bytes | None = None) -> urllib3.BaseHTTPResponse:
    address = api.url + re.sub(r"\{\w+\}", "nothing-with-this-id", path)
    named = {**headers, "Content-Type": "application/json"} if body is not None else dict(headers)
    return HTTP.request(method, address, body=body, headers=named, redirect=False)


@pytest.mark.parametrize("who", NOBODY)
def test_nobody_gets_in(who: str, idle_api: Api, clipcast: Clipcast) -> None:
    """401 everywhere, before the body is looked at and before anything is said about what is there and what is not."""
    headers = NOBODY[who](clipcast.db)
    closed = [(method, path) for method, path, needed, _ in operations(idle_api) if needed]
    assert len(closed) > 30

    for method, path in closed:
        for body in (None, TROUBLE):
            answer = ask(idle_api, method, path, headers, body)
            assert answer.status == 401, f"{method} {path} answered {answer.status} to {who}: {answer.data!r}"
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert method == "HEAD" or answer.json()["code"] == "unauthorized"


@pytest.mark.parametrize("who", GRANTED)
def test_everybody_gets_as_far_as_they_may(who: str, idle_api: Api, clipcast: Clipcast) -> None:
    """403 before anything else where the permission is missing, and anything else where it is there."""
    has, make = GRANTED[who]
    headers, seen = make(clipcast.db), set()

    for method, path, needed, operation in operations(idle_api):
        lacks = not needed <= has
        seen.add(lacks)
        for body in (None, TROUBLE, b"{}") if lacks or "requestBody" in operation else (None,):
            answer = ask(idle_api, method, path, headers, body)
            said = f"{method} {path} answered {answer.status} to {who}: {answer.data!r}"
            if lacks:
                assert (answer.status, answer.json()["code"]) == (403, "forbidden"), said
            elif needed:
                assert answer.status not in {401, 403} or f"{method} {path}" in FOR_PEOPLE, said
            assert answer.status < 500, said
            assert str(answer.status) in operation["responses"], said
    assert seen == ({False} if who == "owner" else {True, False}), "both have to happen, or this shows nothing"


def test_what_is_open_asks_nobody(idle_api: Api) -> None:
    for method, path, needed, _ in operations(idle_api):
        if not needed and path not in {"/sessions", "/sessions/current"}:  # these ask browsers for an Origin of ours
            answer = ask(idle_api, method, path, {})
            assert f"{method} {path}" in OPEN
            assert answer.status not in {401, 403, 500}, f"{method} {path} answered {answer.status}"


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json", "/metrics"])
def test_what_tells_about_the_installation_is_not_for_strangers(path: str, idle_api: Api, clipcast: Clipcast) -> None:
    assert ask(idle_api, "GET", path, {}).status == 401
    assert ask(idle_api, "GET", path, GRANTED["viewer"][1](clipcast.db)).status == 200


@pytest.mark.parametrize("who", ["nobody", "viewer"])
def test_an_upload_that_is_not_allowed_is_refused_before_it_comes(who: str, idle_api: Api, clipcast: Clipcast) -> None:
    """A gigabyte is announced and none of it sent: the answer is there all the same."""
    headers = NOBODY[who](clipcast.db) if who in NOBODY else GRANTED[who][1](clipcast.db)
    said = {**headers, "Host": "x", "Content-Type": "multipart/form-data; boundary=b", "Content-Length": "1000000000"}
    head = "".join(f"{name}: {value}\r\n" for name, value in said.items())
    address = urlsplit(idle_api.url)

    with socket.create_connection((address.hostname or "", address.port or 0), timeout=30) as connection:
        connection.sendall(f"POST /clips HTTP/1.1\r\n{head}\r\n".encode())
        first = connection.recv(65_536).decode()

    assert first.startswith("HTTP/1.1 401" if who == "nobody" else "HTTP/1.1 403")


def test_a_refusal_is_heard_by_whoever_goes_on_sending(idle_api: Api, clipcast: Clipcast) -> None:
    headers = {**GRANTED["viewer"][1](clipcast.db), "Content-Type": "multipart/form-data; boundary=b"}
    pieces = (bytes(1_000_000) for _ in range(30))

    answer = HTTP.request("POST", f"{idle_api.url}/clips", body=pieces, headers=headers, chunked=True)

    assert answer.status == 403
    assert list((clipcast.settings.data_dir / "media").rglob("*.part*")) == []


def test_a_permission_that_is_taken_away_is_gone_with_the_next_request(idle_api: Api) -> None:
    made = idle_api("POST", "/apikeys", {"name": "short", "role": "viewer"}).json
    mine = {"Authorization": f"Bearer {made['key']}"}

    assert idle_api("GET", "/posts", **mine).status == 200
    assert idle_api("DELETE", f"/apikeys/{made['id']}").status == 204
    assert idle_api("GET", "/posts", **mine).status == 401
