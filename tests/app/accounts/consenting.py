"""An owner with a browser: reads a consent page, ticks what is to be allowed, and is sent back to the app."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import urllib3


@dataclass
class Page(HTMLParser):
    """The one form of a consent page."""

    action: str = ""
    hidden: list[tuple[str, str]] = field(default_factory=list)
    boxes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember what the form would send."""
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = given["action"]
        if tag == "input" and given.get("type") == "hidden":
            self.hidden.append((given["name"], given["value"]))
        if tag == "input" and given.get("type") == "checkbox":
            self.boxes.append(given["value"])


def consented(url: str, username: str, *, untick: tuple[str, ...] = (), decision: str = "authorize") -> dict[str, str]:
    """Go to the consent page at `url`, decide as `username`, and return the parameters that the app is sent, decoded once."""
    with urllib3.PoolManager(retries=False) as browser:
        shown = browser.request("GET", url)
        assert shown.status == 200, shown.data.decode()
        page = Page()
        page.feed(shown.data.decode())
        granted = [("grant", scope) for scope in page.boxes if scope not in untick]
        sent = urlencode([*page.hidden, ("username", username), *granted, ("decision", decision)])
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        back = browser.request("POST", urljoin(url, page.action), body=sent, headers=headers, redirect=False)
    assert back.status == 302, back.data.decode()
    return dict(parse_qsl(urlsplit(back.headers["location"]).query))
