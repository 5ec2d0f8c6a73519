"""A browser on its way to a platform's consent page and back: real HTTP, real forms, cookies as browsers keep them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urljoin, urlsplit

import urllib3

from keys import bearer

HTML = {"Accept": "text/html,application/xhtml+xml"}


@dataclass(frozen=True)
class Page:
    """What the browser was shown."""

    url: str
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def location(self) -> str:
        """Where it is sent on to."""
        return urljoin(self.url, self.headers["location"])

    @property
    def form(self) -> "Form":
        """The page's form."""
        found = Form()
        found.feed(self.text)
        return found


class Form(HTMLParser):
    """The one form of a page: where it goes, what it holds, and what may be ticked."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.hidden: list[tuple[str, str]] = []
        self.boxes: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = given["action"]
        elif tag == "input" and given.get("type") == "hidden":
            self.hidden.append((given["name"], given["value"]))
        elif tag == "input" and given.get("type") == "checkbox":
            self.boxes.append((given["name"], given["value"]))


@dataclass
class Browser:
    """Somebody's browser at one server. `key` stands for having signed in."""

    server: str
    key: str = ""
    cookies: dict[str, tuple[str, str]] = field(default_factory=dict)
    seen: str = ""
    _http: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False, timeout=30.0))

    def open(self, url: str, **headers: str) -> Page:
        return self._ask("GET", urljoin(self.server, url), None, headers)

    def submit(self, url: str, fields: Sequence[tuple[str, str]], **headers: str) -> Page:
        typed = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        return self._ask("POST", urljoin(self.server, url), urlencode(fields).encode(), typed)

    def start(self, platform: str, **query: str) -> Page:
        """Ask our server for the platform's page."""
        return self.open(f"/oauth/{platform}/start?{urlencode(query)}")

    def consent(self, consent_url: str, username: str, *, decision: str = "authorize", without: str = "", server: str | None = None) -> str:
        """Fill in the platform's form; gives the address that it sends the browser back to."""
        page = self.open(consent_url)
        assert page.status == 200, page.text
        form = page.form
        ticked = [box for box in form.boxes if box[1] != without]
        answer = self.submit(
            urljoin(server or consent_url, form.action), [*form.hidden, *ticked, ("username", username), ("decision", decision)]
        )
        assert answer.status == 302, answer.text
        return answer.location

    def link(self, platform: str, username: str, *, decision: str = "authorize", without: str = "", **query: str) -> Page:
        """The whole way."""
        begun = self.start(platform, **query)
        assert begun.status == 303, begun.text[-600:]
        return self.arrive(self.consent(begun.location, username, decision=decision, without=without))

    def arrive(self, back: str) -> Page:
        """Follow the way back to the page that says how it ended."""
        return self.shown(self.open(back))

    def shown(self, answer: Page) -> Page:
        """The page that says who is connected, where this answer leads there."""
        is_there = urlsplit(answer.headers.get("location", "")).path.endswith("/connected")
        return self.open(answer.location) if answer.status == 303 and is_there else answer

    def close(self) -> None:
        self._http.clear()

    def _ask(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Page:
        path, is_ours = urlsplit(url).path, url.startswith(self.server)
        jar = {name: value for name, (value, where) in self.cookies.items() if path.startswith(where)}
        sent = {**HTML, **({"Cookie": "; ".join(f"{name}={value}" for name, value in jar.items())} if jar else {}), **headers}
        sent |= bearer(self.key) if self.key and is_ours else {}
        response = self._http.request(method, url.partition("#")[0], body=body, headers=sent, redirect=False)
        for line in response.headers.getlist("set-cookie"):
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = (morsel.value, morsel["path"] or "/")
        text = response.data.decode()
        if is_ours:
            self.seen += f"{dict(response.headers)} {text}\n"
        return Page(url, response.status, {name.lower(): value for name, value in response.headers.items()}, text)


def query_of(url: str) -> dict[str, str]:
    """The parameters of an address."""
    return dict(parse_qsl(urlsplit(url).query))


def with_query(url: str, **changes: Any) -> str:
    """The address with other parameters; None takes one out."""
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()} | changes
    return urlsplit(url)._replace(query=urlencode({name: value for name, value in query.items() if value is not None})).geturl()
