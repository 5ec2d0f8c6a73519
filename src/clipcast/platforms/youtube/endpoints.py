"""YouTube's requests, one function each, bound to the API's addresses (the real ones or a simulator's)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, quote, urlencode, urljoin, urlsplit

from clipcast.platforms.base import FileRange, Json, Media, Request
from clipcast.platforms.youtube.limits import LISTED_VIDEOS
from clipcast.platforms.youtube.posting import Insertion

#: Session URIs carry the token of the upload, and we send ours along: only Google's own hosts get either.
_OWN_HOSTS: Final = (".googleapis.com", ".google.com")
_PLAIN_NETLOC: Final = re.compile(r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?")
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where YouTube's API is, and where it takes bytes.

    Source: https://developers.google.com/youtube/v3/guides/using_resumable_upload_protocol (mirror, read 2026-11-20) and the discovery
    document of revision 20261104
    """

    api_url: str
    upload_url: str

    def channel(self) -> Request:
        """The question which channel the token acts for, where its uploads are listed, and whether they may be long."""
        return self._get("channels", {"part": "id,contentDetails,status", "mine": "true"})

    def session(self, video: Media, new: Insertion) -> Request:
        """The request for an upload session; it carries the metadata, and creates nothing that anybody can see."""
        query = {"uploadType": "resumable", "part": new.parts, "notifySubscribers": str(new.notify_subscribers).lower()}
        url = f"{_bare(self.upload_url)}/upload/youtube/v3/videos?{_query(query)}"
        headers = {"X-Upload-Content-Length": str(video.size_bytes), "X-Upload-Content-Type": video.content_type}
        return Request("POST", url, headers=headers, body=Json(new.body))

    def chunk(self, session_uri: str, video: Media, part: range) -> Request:
        """One chunk of the video; `Content-Length` is the file range's."""
        headers = {"Content-Type": video.content_type, "Content-Range": f"bytes {part.start}-{part.stop - 1}/{video.size_bytes}"}
        return Request("PUT", session_uri, headers=headers, body=FileRange(video.media_id, part.start, part.stop))

    def offset(self, session_uri: str, size_bytes: int) -> Request:
        """The question how far the session is; when it is complete, the answer is the upload's last one once more."""
        return Request("PUT", session_uri, headers={"Content-Length": "0", "Content-Range": f"bytes */{size_bytes}"})

    def uploads(self, playlist_id: str) -> Request:
        """The newest uploads of the channel."""
        query = {"playlistId": playlist_id, "part": "snippet,contentDetails,status", "maxResults": str(LISTED_VIDEOS)}
        return self._get("playlistItems", query)

    def status(self, video_id: str) -> Request:
        """The question how a video is doing."""
        return self._get("videos", {"part": "status,processingDetails", "id": video_id})

    def details(self, video_ids: Sequence[str]) -> Request:
        """The question what these videos are, up to 50 of them: title, times, and the size of the file they were made of."""
        return self._get("videos", {"part": "snippet,status,fileDetails,processingDetails", "id": ",".join(video_ids)})

    def cover(self, video_id: str, image: Media) -> Request:
        """The request that sets a video's cover image; doing it again changes nothing."""
        url = f"{_bare(self.upload_url)}/upload/youtube/v3/thumbnails/set?{_query({'videoId': video_id, 'uploadType': 'media'})}"
        return Request("POST", url, headers={"Content-Type": image.content_type}, body=FileRange(image.media_id, 0, image.size_bytes))

    def session_uri(self, location: str, asked_at: str) -> str | None:
        """The session URI of a `Location` (which may be relative to the address asked); None when bytes may not go there."""
        uri = urljoin(asked_at, location.strip())
        return uri if location.strip() and self._may_upload_to(uri) else None

    def _may_upload_to(self, uri: str) -> bool:
        """Google's own hosts over https, or the host that the upload address itself is on."""
        try:
            url, own = urlsplit(uri), urlsplit(self.upload_url)
            if not _PLAIN_NETLOC.fullmatch(url.netloc):  # no user name, no backslash, nothing two parsers could read differently
                return False
            at_google = url.scheme == "https" and _port(url) == 443 and (url.hostname or "").endswith(_OWN_HOSTS)
            return at_google or (url.scheme, url.hostname, _port(url)) == (own.scheme, own.hostname, _port(own))
        except ValueError:  # a port or address that is none
            return False

    def _get(self, resource: str, query: dict[str, str]) -> Request:
        return Request("GET", f"{_bare(self.api_url)}/youtube/v3/{resource}?{_query(query)}")


def _bare(url: str) -> str:
    return url.rstrip("/")


def _query(parameters: dict[str, str]) -> str:
    return urlencode(parameters, quote_via=quote, safe=",")


def _port(url: SplitResult) -> int | None:
    return url.port or _DEFAULT_PORTS.get(url.scheme)
