"""A bare HTTP client for the simulator: it knows no rules, it only sends what a test says."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

import urllib3

POST = "/tiktok/v2/post/publish"
JSON_TYPE = "application/json; charset=UTF-8"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @cached_property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json["error"]["code"])

    @property
    def message(self) -> str:
        return str(self.json["error"]["message"])

    @property
    def data(self) -> Any:
        assert self.code == "ok", self.json
        return self.json["data"]


@dataclass
class Sim:
    """A simulator at a URL."""

    url: str
    pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False, timeout=20))

    def send(self, method: str, path: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Answer:
        url = path if path.startswith("http") else self.url + path
        got = self.pool.request(method, url, body=body, headers=dict(headers or {}), redirect=False)
        return Answer(got.status, got.data, got.headers)

    def control(self, method: str, path: str, content: Any = None) -> Any:
        answer = self.try_control(method, path, content)
        assert answer.status == 200, answer.body
        return answer.json

    def try_control(self, method: str, path: str, content: Any = None) -> Answer:
        body = None if content is None else json.dumps(content).encode()
        return self.send(method, f"/_simulator{path}", body=body)

    def call(self, path: str, content: Any = None, *, token: str, headers: Mapping[str, str] | None = None) -> Answer:
        """POST JSON to a data endpoint."""
        body = content if isinstance(content, bytes) else None if content is None else json.dumps(content).encode()
        base = {"Authorization": f"Bearer {token}"} | ({"Content-Type": JSON_TYPE} if body is not None else {})
        return self.send("POST", path, body=body, headers=base | dict(headers or {}))

    def form(self, path: str, fields: Mapping[str, str]) -> Answer:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.send("POST", path, body=urlencode(fields).encode(), headers=kind)

    def settle(self) -> None:
        self.control("POST", "/settle")

    def advance(self, seconds: float) -> None:
        self.control("PUT", "/clock", {"advance_s": seconds})

    def settings(self, **changes: Any) -> None:
        self.control("PUT", "/settings", changes)

    def faults(self, *orders: Mapping[str, Any]) -> None:
        self.control("POST", "/faults", [{"platform": "tiktok", **order} for order in orders])

    def account(self, username: str = "ana", **settings: Any) -> "Creator":
        return Creator(self, self.control("PUT", f"/tiktok/accounts/{username}", settings))

    def app(self, client_key: str = "awclipcastsimulator", **settings: Any) -> Any:
        return self.control("PUT", f"/tiktok/apps/{client_key}", settings)

    def posts(self, **query: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.control("GET", f"/tiktok/posts?{urlencode(query)}")["posts"]
        return found

    def post(self, publish_id: str) -> dict[str, Any]:
        (found,) = (post for post in self.posts() if post["publish_id"] == publish_id)
        return found

    def requests(self, **query: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.control("GET", f"/requests?{urlencode(query)}")["requests"]
        return found


@dataclass
class Creator:
    """An authorized user of the simulated TikTok."""

    sim: Sim
    credentials: dict[str, Any]

    @property
    def token(self) -> str:
        return str(self.credentials["access_token"])

    def call(self, path: str, content: Any = None) -> Answer:
        return self.sim.call(path, content, token=self.token)

    def info(self) -> Answer:
        return self.call(f"{POST}/creator_info/query/")

    def video_init(self, source: Mapping[str, Any], **post_info: Any) -> Answer:
        info = {"privacy_level": "SELF_ONLY"} | post_info
        return self.call(f"{POST}/video/init/", {"post_info": info, "source_info": source})

    def inbox_init(self, source: Mapping[str, Any]) -> Answer:
        return self.call(f"{POST}/inbox/video/init/", {"source_info": source})

    def photo_init(self, urls: list[str], mode: str = "DIRECT_POST", **post_info: Any) -> Answer:
        body = {
            "media_type": "PHOTO",
            "post_mode": mode,
            "post_info": {"privacy_level": "SELF_ONLY"} | post_info,
            "source_info": {"source": "PULL_FROM_URL", "photo_images": urls, "photo_cover_index": 0},
        }
        return self.call(f"{POST}/content/init/", body)

    def status(self, publish_id: str) -> Answer:
        return self.call(f"{POST}/status/fetch/", {"publish_id": publish_id})

    def cancel(self, publish_id: str) -> Answer:
        return self.call(f"{POST}/cancel/", {"publish_id": publish_id})

    def upload(self, video: bytes, **post_info: Any) -> str:
        """Publish a video in one chunk and return its publish id."""
        begun = self.video_init(one_chunk(len(video)), **post_info).data
        assert put(self.sim, begun["upload_url"], video, 0, len(video)).status == 201
        return str(begun["publish_id"])


def one_chunk(size: int) -> dict[str, Any]:
    return file_source(size, size, 1)


def file_source(size: int, chunk: int, count: int) -> dict[str, Any]:
    return {"source": "FILE_UPLOAD", "video_size": size, "chunk_size": chunk, "total_chunk_count": count}


def put(sim: Sim, url: str, chunk: bytes, first: int, total: int, **headers: str) -> Answer:
    """PUT a chunk; headers are given as `Content_Type="..."`, an empty value leaves one out."""
    sent = {"Content-Type": "video/mp4", "Content-Range": f"bytes {first}-{first + len(chunk) - 1}/{total}"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return sim.send("PUT", url, body=chunk, headers={name: value for name, value in sent.items() if value})
