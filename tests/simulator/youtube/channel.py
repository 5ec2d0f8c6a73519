"""A bare client for the simulated YouTube: it knows no rules, it only sends what a test says."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from simulator.wire import Answer, Sim

API = "/youtube/youtube/v3"
UPLOADS = "/youtube/upload/youtube/v3"
BLOCK = 262_144
JSON_TYPE = "application/json; charset=UTF-8"
RESOURCE: dict[str, Any] = {"snippet": {"title": "A title"}, "status": {"privacyStatus": "private"}}


def faults(sim: Sim, *orders: Mapping[str, Any]) -> None:
    sim.control("POST", "/faults", [{"platform": "youtube", **order} for order in orders])


def knobs(sim: Sim, **changes: Any) -> None:
    sim.settings(youtube=changes)


def channel(sim: Sim, username: str = "ana", **settings: Any) -> "Channel":
    return Channel(sim, sim.control("PUT", f"/youtube/accounts/{username}", settings))


def app(sim: Sim, credentials: Mapping[str, Any], **settings: Any) -> Any:
    return sim.control("PUT", f"/youtube/apps/{credentials['client_id']}", settings)


def posts(sim: Sim) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sim.control("GET", "/youtube/posts")["posts"]
    return found


def reason(answer: Answer) -> tuple[int, str]:
    """Return the status and the first reason of an error answer."""
    return answer.status, str(answer.json["error"]["errors"][0]["reason"])


def persisted(answer: Answer) -> int:
    """Return how many bytes a 308 says are persisted."""
    assert answer.status == 308, (answer.status, answer.body)
    assert answer.body == b""
    header = answer.headers.get("range")
    return 0 if header is None else int(header.rpartition("-")[2]) + 1


@dataclass
class Channel:
    """An authorized channel of the simulated YouTube."""

    sim: Sim
    credentials: dict[str, Any]

    @property
    def token(self) -> str:
        return str(self.credentials["access_token"])

    def send(self, method: str, path: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None, **query: Any) -> Answer:
        """Send a request with the token; a header that is empty is left out."""
        sent = {"Authorization": f"Bearer {self.token}"} | dict(headers or {})
        url = path if not query else f"{path}?{urlencode(query)}"
        return self.sim.send(method, url, body=body, headers={name: value for name, value in sent.items() if value})

    def get(self, path: str, **query: Any) -> Answer:
        return self.send("GET", f"{API}/{path}", **query)

    def start(self, resource: Any = RESOURCE, *, headers: Mapping[str, str] | None = None, **query: Any) -> Answer:
        """Ask for a session."""
        body = resource if isinstance(resource, bytes) else json.dumps(resource).encode()
        sent = {"Content-Type": JSON_TYPE, "X-Upload-Content-Type": "video/mp4"} | dict(headers or {})
        asked = {"uploadType": "resumable", "part": "snippet,status"} | query
        asked = {name: value for name, value in asked.items() if value is not None}
        return self.send("POST", f"{UPLOADS}/videos", body=body, headers=sent, **asked)

    def session(self, total: int | None, resource: Any = RESOURCE, **query: Any) -> str:
        """Open a session and return its URI."""
        headers = {} if total is None else {"X-Upload-Content-Length": str(total)}
        answer = self.start(resource, headers=headers, **query)
        assert answer.status == 200, answer.body
        return answer.headers["location"]

    def put(self, uri: str, chunk: bytes, first: int, total: int | str, **headers: str) -> Answer:
        """Send bytes; headers are given as `Content_Type="..."`, an empty value leaves one out."""
        sent = {"Content-Type": "video/mp4", "Content-Range": f"bytes {first}-{first + len(chunk) - 1}/{total}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send("PUT", uri, body=chunk, headers=sent)

    def query(self, uri: str, total: int | str = "*") -> Answer:
        """Ask how far a session is."""
        return self.send("PUT", uri, body=b"", headers={"Content-Range": f"bytes */{total}"})

    def upload(self, video: bytes, resource: Any = RESOURCE, **query: Any) -> dict[str, Any]:
        """Upload in one request and return the video."""
        answer = self.put(self.session(len(video), resource, **query), video, 0, len(video))
        assert answer.status == 201, answer.body
        found: dict[str, Any] = answer.json
        return found

    def video(self, video_id: str, part: str = "snippet,status,contentDetails,processingDetails,fileDetails,suggestions") -> Any:
        """Return one video as the API tells of it."""
        (found,) = self.get("videos", part=part, id=video_id).json["items"]
        return found

    def set_thumbnail(self, video_id: str, image: bytes, media_type: str = "image/jpeg") -> Answer:
        headers = {"Content-Type": media_type}
        return self.send("POST", f"{UPLOADS}/thumbnails/set", body=image, headers=headers, videoId=video_id, uploadType="media")
