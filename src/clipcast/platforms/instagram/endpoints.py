"""Instagram's requests, one function each, bound to the hosts (the real ones or a simulator's)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, quote, urlencode, urlsplit

from clipcast.platforms.base import FileRange, Json, JsonValue, Media, Order, Request
from clipcast.platforms.instagram.limits import API_VERSION, LISTED_POSTS
from clipcast.platforms.instagram.posting import ACCOUNT_ID, kind_of, login_of

GRAPH_URLS: Final[Mapping[str, str]] = {"instagram": "https://graph.instagram.com", "facebook": "https://graph.facebook.com"}

_LISTED_FIELDS: Final = "id,caption,media_type,media_product_type,permalink,timestamp"
_PLAIN_NETLOC: Final = re.compile(r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?")
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where Instagram's hosts are; an empty `graph_url` follows from the account's kind of login.

    Source: https://developers.facebook.com/documentation/instagram-platform/content-publishing (page of 2026-06-30) and its siblings
    """

    graph_url: str
    upload_url: str
    upload_host_suffix: str

    def limit(self, order: Order) -> Request:
        """The question how many posts the last 24 hours have seen."""
        return self._get(order, _account(order), "content_publishing_limit", fields="quota_usage,config")

    def create(self, order: Order, body: dict[str, JsonValue]) -> Request:
        """The request for a container."""
        return self._post(order, "media", body)

    def container(self, order: Order, container_id: str, *, with_bytes: bool = False) -> Request:
        """The question how a container is doing, and how far its upload is."""
        return self._get(order, container_id, fields="id,status_code,status,video_status" if with_bytes else "id,status_code,status")

    def upload(self, uri: str, video: Media, offset: int) -> Request:
        """All bytes from `offset` on, in one request: several are not documented.

        Source: .../content-publishing/resumable-uploads (page of 2026-03-15)
        """
        headers = {"offset": str(offset), "file_size": str(video.size_bytes), "Content-Type": "application/octet-stream"}
        return Request("POST", uri, headers, FileRange(video.media_id, offset, video.size_bytes), auth_scheme="OAuth")

    def publish(self, order: Order, container_id: str) -> Request:
        """The request that makes the post visible."""
        return self._post(order, "media_publish", {"creation_id": container_id})

    def newest(self, order: Order) -> Request:
        """The account's newest posts; stories have a list of their own."""
        edge = "stories" if kind_of(order) == "story" else "media"
        return self._get(order, _account(order), edge, fields=_LISTED_FIELDS, limit=str(LISTED_POSTS))

    def media(self, order: Order, media_id: str) -> Request:
        """The question for a post's link."""
        return self._get(order, media_id, fields="id,permalink")

    def upload_address(self, uri: str, container_id: str) -> str:
        """Where the bytes go: Instagram's own answer, and only without one the documented pattern."""
        return uri or f"{self.upload_url.rstrip('/')}/ig-api-upload/{API_VERSION}/{quote(container_id, safe='')}"

    def may_upload_to(self, uri: str) -> bool:
        """Whether the bytes and the token may be sent there: Meta's own hosts over https, or the upload host that was configured."""
        try:
            url, known = urlsplit(uri), urlsplit(self.upload_url)
            if not _PLAIN_NETLOC.fullmatch(url.netloc):  # no user name, no backslash, nothing two parsers could read differently
                return False
            own_host = url.scheme == "https" and _port(url) == 443 and (url.hostname or "").endswith(self.upload_host_suffix)
            return own_host or (url.scheme, url.hostname, _port(url)) == (known.scheme, known.hostname, _port(known))
        except ValueError:  # a port or address that is none
            return False

    def _get(self, order: Order, *path: str, **query: str) -> Request:
        return Request("GET", f"{self._address(order, *path)}?{urlencode(query, safe=',')}")

    def _post(self, order: Order, edge: str, content: dict[str, JsonValue]) -> Request:
        return Request("POST", self._address(order, _account(order), edge), body=Json(content, "application/json"))

    def _address(self, order: Order, *path: str) -> str:
        base = self.graph_url or GRAPH_URLS[login_of(order)]
        return "/".join([base.rstrip("/"), API_VERSION, *(quote(part, safe="") for part in path)])


def _account(order: Order) -> str:
    """The account in paths; `me` is whoever the token belongs to."""
    return order.account.get(ACCOUNT_ID, "") or "me"


def _port(url: SplitResult) -> int | None:
    return url.port or _DEFAULT_PORTS.get(url.scheme)
