"""A bare client of the simulated Instagram: it knows no rules, it only sends what a test says."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from simulator.wire import Answer, Sim

BASE = "/instagram"
GRAPH = "/instagram/v26.0"
STATUS_FIELDS = "id,status_code,status,video_status,copyright_check_status"


@dataclass(frozen=True)
class Profile:
    """An authorized account of the simulated Instagram."""

    sim: Sim
    credentials: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.credentials["instagram_account_id"])

    @property
    def token(self) -> str:
        return str(self.credentials["access_token"])

    @property
    def username(self) -> str:
        return str(self.credentials["username"])

    def get(self, path: str, token: str | None = None, **query: Any) -> Answer:
        """GET a Graph path; its token goes in the header."""
        text = f"?{urlencode(query)}" if query else ""
        return self.sim.send("GET", f"{GRAPH}/{path}{text}", headers=bearer(token or self.token))

    def post(self, path: str, token: str | None = None, **fields: Any) -> Answer:
        """POST a form to a Graph path."""
        form = {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()}
        head = bearer(token or self.token) | {"Content-Type": "application/x-www-form-urlencoded"}
        return self.sim.send("POST", f"{GRAPH}/{path}", body=urlencode(form).encode(), headers=head)

    def create(self, **fields: Any) -> Answer:
        return self.post(f"{self.id}/media", **fields)

    def container(self, **fields: Any) -> str:
        """Create a container and return its id."""
        answer = self.create(**fields)
        assert answer.status == 200, answer.body
        return str(answer.json["id"])

    def reel(self, url: str, **fields: Any) -> str:
        """Create a reel from a URL and let it be fetched."""
        container = self.container(media_type="REELS", video_url=url, **fields)
        self.sim.settle()
        return container

    def status(self, container: str, token: str | None = None) -> Any:
        answer = self.get(container, token, fields=STATUS_FIELDS)
        assert answer.status == 200, answer.body
        return answer.json

    def code(self, container: str) -> str:
        return str(self.status(container)["status_code"])

    def publish(self, container: str) -> Answer:
        return self.post(f"{self.id}/media_publish", creation_id=container)

    def published(self, container: str) -> str:
        """Publish a container and return the id of the post."""
        answer = self.publish(container)
        assert answer.status == 200, answer.body
        return str(answer.json["id"])

    def resumable(self, **fields: Any) -> tuple[str, str]:
        """Begin a resumable upload and return the container's id and the upload's address."""
        answer = self.create(**{"media_type": "REELS", "upload_type": "resumable"} | fields)
        assert answer.status == 200, answer.body
        return answer.json["id"], answer.json["uri"]

    def send(self, uri: str, body: bytes, offset: int = 0, size: int | None = None, **headers: str) -> Answer:
        """POST bytes to the upload host; an empty header is left out."""
        total = str(len(body) if size is None else size)
        sent = {"Authorization": f"OAuth {self.token}", "offset": str(offset), "file_size": total} | headers
        return self.sim.send("POST", uri, body=body, headers={name: value for name, value in sent.items() if value})

    def settings(self, **knobs: Any) -> None:
        self.sim.settings(instagram=knobs)

    def faults(self, *orders: Mapping[str, Any]) -> None:
        self.sim.control("POST", "/faults", [{"platform": "instagram", **order} for order in orders])


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def profile(sim: Sim, username: str = "ana", **settings: Any) -> Profile:
    return Profile(sim, sim.control("PUT", f"/instagram/accounts/{username}", settings))


def world(sim: Sim) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sim.control("GET", "/instagram/posts")["posts"]
    return found


def error(answer: Answer) -> tuple[int, int, int | None]:
    """Return HTTP status, code and subcode of a Graph error."""
    told = answer.json["error"]
    return answer.status, told["code"], told.get("error_subcode")
