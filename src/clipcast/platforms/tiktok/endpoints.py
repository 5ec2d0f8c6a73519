"""TikTok's requests, one function each, bound to an API's address (the real one or a simulator's)."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from clipcast.platforms.base import FileRange, Json, JsonValue, Media, MediaUrl, Order, Request
from clipcast.platforms.tiktok.limits import LISTED_POSTS
from clipcast.platforms.tiktok.posting import is_inbox, is_photos

_LISTED_FIELDS: Final = "id,create_time,share_url,title,video_description"
_PLAIN_NETLOC: Final = re.compile(r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?")
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where TikTok's API is and where its upload URLs may point.

    Source: https://developers.tiktok.com/doc/content-posting-api-reference-direct-post and its siblings (read 2026-09-11)
    """

    api_url: str
    upload_host_suffix: str

    def creator_info(self) -> Request:
        """The question what this creator may post right now."""
        return self._post("/v2/post/publish/creator_info/query/", {})

    def init(self, order: Order, body: dict[str, JsonValue]) -> Request:
        """The request that creates the post; by URL it also starts the fetching."""
        return self._post(f"/v2/post/publish/{_INIT_PATHS[init_label(order)]}/init/", body)

    def chunk(self, upload_url: str, video: Media, part: range) -> Request:
        """One chunk to the upload host; the URL carries its own token, and `Content-Length` is the file range's."""
        headers = {"Content-Type": video.content_type, "Content-Range": f"bytes {part.start}-{part.stop - 1}/{video.size_bytes}"}
        body = FileRange(video.media_id, part.start, part.stop)
        return Request("PUT", upload_url, headers=headers, body=body, authorized=False)

    def media_url(self, media: Media) -> Request:
        """The question whether our own public URL serves this media, asked before TikTok fetches it."""
        return Request("HEAD", MediaUrl(media.media_id), authorized=False)

    def status(self, publish_id: str) -> Request:
        """The question how the post is doing."""
        return self._post("/v2/post/publish/status/fetch/", {"publish_id": publish_id})

    def cancel(self, publish_id: str) -> Request:
        """The request not to publish after all; only heeded while TikTok still fetches."""
        return self._post("/v2/post/publish/cancel/", {"publish_id": publish_id})

    def newest_posts(self) -> Request:
        """The creator's newest public posts.

        Source: https://developers.tiktok.com/doc/tiktok-api-v2-video-list (undated copy)
        """
        return self._post(f"/v2/video/list/?fields={_LISTED_FIELDS}", {"max_count": LISTED_POSTS})

    def may_upload_to(self, upload_url: str) -> bool:
        """Whether a video may be sent there: TikTok's own hosts over https, or the host that the API itself is on."""
        try:
            url, api = urlsplit(upload_url), urlsplit(self.api_url)
            if not _PLAIN_NETLOC.fullmatch(url.netloc):  # no user name, no backslash, nothing two parsers could read differently
                return False
            own_host = url.scheme == "https" and _port(url) == 443 and (url.hostname or "").endswith(self.upload_host_suffix)
            return own_host or (url.scheme, url.hostname, _port(url)) == (api.scheme, api.hostname, _port(api))
        except ValueError:  # a port or address that is none
            return False

    def _post(self, path: str, content: dict[str, JsonValue]) -> Request:
        return Request("POST", self.api_url.rstrip("/") + path, body=Json(content))


_INIT_PATHS: Final = {"video.init": "video", "inbox.init": "inbox/video", "photo.init": "content"}


def init_label(order: Order) -> str:
    """The name of the order's init request, in logs, metrics and rate limits."""
    if is_photos(order):
        return "photo.init"
    return "inbox.init" if is_inbox(order) else "video.init"


def _port(url: SplitResult) -> int | None:
    return url.port or _DEFAULT_PORTS.get(url.scheme)
