"""A browser as far as the way in is concerned: it keeps cookies, says which page it comes from, and follows nothing by itself."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import pytest
import urllib3

from clipcast.people import invitations
from clipcast.people.access import Role
from clipcast.system import Clipcast

PASSWORD: Final = "correct horse battery"
EMAIL: Final = "ada@example.com"
NOT_SAID: Final = ""

on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what no database has a part in."""


@dataclass(frozen=True)
class Seen:
    """What came back."""

    status: int
    headers: urllib3.HTTPHeaderDict
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def code(self) -> str:
        """The code of a problem."""
        assert self.headers["Content-Type"] == "application/problem+json", self.text
        return str(self.json["code"])


@dataclass
class Browser:
    """One browser that somebody points at this server. `origin=NOT_SAID` leaves the header out; None says the server's own."""

    url: str
    cookies: dict[str, str] = field(default_factory=dict)
    #: Every Set-Cookie line as it came.
    baked: list[str] = field(default_factory=list)
    _http: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False, timeout=60, maxsize=32))

    def __call__(
        self,
        method: str,
        path: str,
        *,
        form: Mapping[str, str] | None = None,
        body: object = None,
        origin: str | None = None,
        sent: Mapping[str, str] | None = None,
        **headers: str,
    ) -> Seen:
        named = {**headers, **(sent or {})}
        if self.cookies:
            named.setdefault("Cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        if origin != NOT_SAID and method != "GET":
            named["Origin"] = origin or f"http://{named.get('Host', urlsplit(self.url).netloc)}"
        content, kind = (
            (urlencode(form), "application/x-www-form-urlencoded") if form is not None else (json.dumps(body), "application/json")
        )
        if form is not None or body is not None:
            named["Content-Type"] = kind
        content_bytes = content.encode() if form is not None or body is not None else None
        answer = self._http.request(method, self.url + path, body=content_bytes, headers=named, redirect=False)
        self._keep(answer.headers.getlist("Set-Cookie"))
        return Seen(answer.status, answer.headers, answer.data.decode())

    def join(self, token: str, *, email: str = EMAIL, name: str = "Ada", password: str = PASSWORD, origin: str | None = None) -> Seen:
        """Fill in the page behind a one-time link."""
        return self("POST", "/welcome", form={"token": token, "name": name, "email": email, "password": password}, origin=origin)

    def sign_in(self, email: str = EMAIL, password: str = PASSWORD, *, origin: str | None = None) -> Seen:
        """Sign in by JSON."""
        return self("POST", "/sessions", body={"email": email, "password": password}, origin=origin)

    def me(self) -> Seen:
        """Ask who is signed in."""
        return self("GET", "/people/me")

    def another(self) -> "Browser":
        """A browser on another machine, without our cookies."""
        return Browser(self.url)

    def close(self) -> None:
        self._http.clear()

    def _keep(self, lines: list[str]) -> None:
        for line in lines:
            self.baked.append(line)
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
                if morsel["max-age"] == "0":
                    del self.cookies[name]


def first_link(clipcast: Clipcast) -> str:
    """The token of the link that a start of the server prints."""
    with clipcast.db.writing() as session:
        token = invitations.first_link(session, clipcast.clock())
    assert token is not None
    return token


def invited(clipcast: Clipcast, role: Role, email: str | None = None) -> str:
    """The token of an invitation."""
    with clipcast.db.writing() as session:
        return invitations.invite(session, role, email, clipcast.clock())[1]
