"""The routes over real HTTP: a small application with the two routers and the simplest handler of our errors."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import urllib3
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import SecretStr

from app.clips.conftest import Web
from clipcast.clips.ingest import Library
from clipcast.clips.links import Links
from clipcast.clips.models import Clip
from clipcast.clips.routes import media_router, router
from clipcast.clips.sample import make_sample_video
from clipcast.clips.storage import LocalStorage, Storage
from clipcast.clock import Clock
from clipcast.db.engine import Database
from clipcast.errors import Busy, ClipcastError, NotFound
from clipcast.turnstiles import Turnstiles
from keys import bearer, new_key

#: What differs between the databases is tested in test_ingest.py; this file is about HTTP.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
HOUR = timedelta(hours=1)
Files = Callable[[], list[str]]


@dataclass
class Services:
    """What the application hands to the routes."""

    library: Library
    storage: Storage
    db: Database
    clock: Clock
    links: Links


@dataclass
class Site:
    """The running application and one client."""

    port: int
    links: Links
    key: str
    client: urllib3.PoolManager

    def ask(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **options: Any) -> urllib3.BaseHTTPResponse:
        named = bearer(self.key) | dict(headers or {})
        return self.client.request(method, f"http://127.0.0.1:{self.port}{path}", headers=named, retries=False, timeout=20, **options)

    def upload_head(self, length: int) -> str:
        """How an upload begins, for those who then do something else."""
        form = "Content-Type: multipart/form-data; boundary=b"
        return f"POST /clips HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.key}\r\n{form}\r\nContent-Length: {length}\r\n\r\n"

    def upload(self, content: bytes, name: str = "clip.mp4", **fields: str) -> urllib3.BaseHTTPResponse:
        return self.ask("POST", "/clips", fields=fields | {"file": (name, content)})


def explain(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ClipcastError)
    status = {NotFound: 404, Busy: 503}.get(type(error), 400)
    return JSONResponse({"code": error.code, "detail": str(error)}, status_code=status)


@pytest.fixture
def links(clock: Clock) -> Links:
    return Links(SecretStr("a test's secret"), clock)


@pytest.fixture
def site(library: Library, db: Database, clock: Clock, links: Links) -> Iterator[Site]:
    app = FastAPI()
    app.include_router(router)
    app.include_router(media_router)
    app.add_exception_handler(ClipcastError, explain)
    app.state.turnstiles = Turnstiles(patience_s=20)
    app.state.clipcast = Services(library, library.storage, db, clock, links)
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", timeout_keep_alive=75))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    with urllib3.PoolManager() as client:
        yield Site(listening.getsockname()[1], links, new_key(db), client)
    server.should_exit = True
    thread.join()
    listening.close()


@pytest.fixture
def clip(library: Library, video: Path) -> Clip:
    return library.add_file(video)


def test_an_upload_becomes_a_clip(site: Site, video: Path) -> None:
    answer = site.upload(video.read_bytes(), "Mein Film.mp4")

    assert answer.status == 201
    assert {name: value for name, value in answer.json().items() if name not in {"id", "sha256", "size_bytes"}} == {
        "kind": "video",
        "file_name": "Mein Film.mp4",
        "content_type": "video/mp4",
        "duration_s": 1.0,
        "width": 270,
        "height": 480,
        "frame_rate": 30.0,
        "video_codec": "h264",
        "audio_codec": "aac",
        "slideshow_clip_id": None,
        "created_at": "2026-03-01T12:00:00.123456Z",
    }


def test_uploading_the_same_bytes_again_gives_the_same_clip(site: Site, video: Path) -> None:
    first, second = (site.upload(video.read_bytes(), name).json() for name in ("a.mp4", "b.mp4"))

    assert first == second


def test_a_large_upload_arrives_whole_and_is_never_held_in_memory(site: Site, storage: LocalStorage, tmp_path: Path) -> None:
    large = make_sample_video(tmp_path / "large.mp4", seconds=0.2, width=64, height=96, min_bytes=15_000_000)
    answer = site.upload(large.read_bytes())

    assert answer.json()["size_bytes"] == 15_000_000
    assert storage.path(key_of(answer)).read_bytes() == large.read_bytes()


def key_of(answer: urllib3.BaseHTTPResponse) -> str:
    sha256 = answer.json()["sha256"]
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}.mp4"


def test_a_url_becomes_a_clip(site: Site, web: Web, video: Path) -> None:
    answer = site.ask("POST", "/clips", json={"url": web.serve("/film.mp4", video.read_bytes())})

    assert (answer.status, answer.json()["file_name"]) == (201, "film.mp4")


def test_a_slideshow_is_uploaded_with_the_images_it_shows(site: Site, video: Path, photo: Path, drawing: Path) -> None:
    """The images may be named before or after the file; both ways of adding a clip take them."""
    images = [site.upload(path.read_bytes(), path.name).json()["id"] for path in (photo, drawing)]
    show = site.upload(video.read_bytes(), slideshow_of=images[0]).json()["id"]
    body, boundary = urllib3.encode_multipart_formdata([("file", ("v.mp4", video.read_bytes())), ("slideshow_of", images[1])])
    site.ask("POST", "/clips", body=body, headers={"Content-Type": boundary})

    assert [site.ask("GET", f"/clips/{image}").json()["slideshow_clip_id"] for image in images] == [show, show]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "The file is empty."),
        (b"hello", "This is text"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "This is text"),
        (b"\0\0\0\x18ftypisom" + bytes(12), "moov"),
    ],
)
def test_an_upload_that_cannot_be_used_changes_nothing(site: Site, stored_files: Files, content: bytes, says: str) -> None:
    answer = site.upload(content)

    assert (answer.status, answer.json()["code"]) == (400, "unusable_media")
    assert says in answer.json()["detail"]
    assert (site.ask("GET", "/clips").json(), stored_files()) == ({"clips": [], "next": None}, [])


def test_an_announced_body_above_the_cap_is_refused_at_once(site: Site) -> None:
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as connection:
        head = site.upload_head(900000000)
        connection.sendall(head.encode())
        answer = b""
        while not answer.endswith(b"}"):
            answer += connection.recv(65536)

    assert b"too_large" in answer


def test_an_upload_above_the_cap_is_stopped_while_it_streams(site: Site, stored_files: Files) -> None:
    def pieces() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'
        for _ in range(22):
            yield bytes(1_000_000)
        yield b"\r\n--b--\r\n"

    answer = site.ask("POST", "/clips", body=pieces(), headers={"Content-Type": "multipart/form-data; boundary=b"}, chunked=True)

    assert (answer.json()["code"], stored_files()) == ("too_large", [])


def test_a_client_that_goes_away_in_the_middle_leaves_nothing(site: Site, stored_files: Files) -> None:
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as connection:
        head = site.upload_head(9000000)
        start = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'
        connection.sendall((head + start).encode() + bytes(3_000_000))
        wait_until(lambda: stored_files() != [])

    wait_until(lambda: stored_files() == [])


def wait_until(happened: Callable[[], bool]) -> None:
    """Ask again until it is so; the test's own timeout is the limit of patience."""
    give_up_at = time.monotonic() + 10
    while not happened():
        assert time.monotonic() < give_up_at


MULTIPART = {"Content-Type": "multipart/form-data; boundary=b"}
FILE_PART = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\nx\r\n'


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (MULTIPART, b""),
        (MULTIPART, b"not multipart at all"),
        (MULTIPART, FILE_PART),  # never closed
        (MULTIPART, FILE_PART + FILE_PART + b"--b--\r\n"),
        (MULTIPART, b'--b\r\nContent-Disposition: form-data; name="other"\r\n\r\nx\r\n--b--\r\n'),
        (MULTIPART, b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n' + bytes(20_000) + b"\r\n--b--\r\n"),
        (MULTIPART, b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n\r\n' * 300 + b"--b--\r\n"),
        (MULTIPART, b"--b\r\nX-Long: " + b"y" * 10_000 + b"\r\n\r\n\r\n--b--\r\n"),
        ({"Content-Type": "multipart/form-data"}, FILE_PART + b"--b--\r\n"),
        ({"Content-Type": "multipart/form-data; boundary=" + "b" * 5000}, FILE_PART),
        ({"Content-Type": "application/json"}, b'{"url": '),
        ({"Content-Type": "application/json"}, b"[]"),
        ({"Content-Type": "application/json"}, b'{"link": "http://nas.test/"}'),
        ({"Content-Type": "application/json"}, b'{"url": 7}'),
        ({"Content-Type": "application/json"}, b"\xff\xfe\x00"),
        ({"Content-Type": "text/plain"}, b"hello"),
        ({}, b""),
    ],
)
def test_a_malformed_body_is_422_and_leaves_nothing(site: Site, stored_files: Files, headers: dict[str, str], body: bytes) -> None:
    answer = site.ask("POST", "/clips", body=body, headers=headers)

    assert answer.status == 422
    assert stored_files() == []


def test_ten_megabytes_of_json_are_refused(site: Site) -> None:
    answer = site.ask("POST", "/clips", body=json.dumps({"url": "x" * 10_000_000}), headers={"Content-Type": "application/json"})

    assert (answer.status, answer.json()["code"]) == (400, "too_large")


def test_a_refused_url_is_not_quoted(site: Site, web: Web) -> None:
    answer = site.ask("POST", "/clips", json={"url": f"http://127.0.0.1:{web.port}/a?signature=hunter2"})
    malformed = site.ask("POST", "/clips", json={"url": ["http://x/?signature=hunter2"]})

    assert (answer.status, answer.json()["code"]) == (400, "refused_url")
    assert b"hunter2" not in answer.data + malformed.data


def test_the_list_is_paged_newest_first(site: Site, video: Path, photo: Path, drawing: Path) -> None:
    ids = [site.upload(path.read_bytes(), path.name).json()["id"] for path in (video, photo, drawing)]

    first = site.ask("GET", "/clips?limit=2").json()
    second = site.ask("GET", f"/clips?limit=2&before={first['next']}").json()

    assert [clip["id"] for clip in first["clips"] + second["clips"]] == ids[::-1]
    assert second["next"] is None


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x"])
def test_a_page_of_no_sensible_size_is_422(site: Site, query: str) -> None:
    assert site.ask("GET", f"/clips?{query}").status == 422


def test_one_clip_and_its_thumbnail(site: Site, clip: Clip) -> None:
    thumbnail = site.ask("GET", f"/clips/{clip.id}/thumbnail")

    assert site.ask("GET", f"/clips/{clip.id}").json()["sha256"] == clip.sha256
    assert (thumbnail.status, thumbnail.headers["Content-Type"]) == (200, "image/jpeg")
    assert thumbnail.data.startswith(b"\xff\xd8")


def test_an_unknown_clip_is_404(site: Site) -> None:
    assert [site.ask("GET", path).status for path in ("/clips/unknown", "/clips/unknown/thumbnail")] == [404, 404]


def test_a_signed_link_gives_the_file(site: Site, clip: Clip, video: Path) -> None:
    answer = site.ask("GET", f"/media/{site.links.sign(clip.id, HOUR)}")

    assert (answer.status, answer.data) == (200, video.read_bytes())
    assert answer.headers["Content-Type"] == "video/mp4"
    assert answer.headers["Content-Length"] == str(clip.size_bytes)
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["ETag"] == f'"{clip.sha256}"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_head_request_says_the_same_without_the_body(site: Site, clip: Clip) -> None:
    answer = site.ask("HEAD", f"/media/{site.links.sign(clip.id, HOUR)}")

    assert (answer.status, answer.data) == (200, b"")
    assert (answer.headers["Content-Length"], answer.headers["Content-Type"]) == (str(clip.size_bytes), "video/mp4")


def test_a_rendition_has_its_own_link(site: Site, library: Library, drawing: Path) -> None:
    clip = library.add_file(drawing)
    answer = site.ask("GET", f"/media/{site.links.sign(f'{clip.id}:jpeg', HOUR)}")

    assert (answer.headers["Content-Type"], answer.data[:2]) == ("image/jpeg", b"\xff\xd8")


@pytest.mark.parametrize(
    ("asked", "first", "last"), [("bytes=0-0", 0, 0), ("bytes=100-199", 100, 199), ("bytes=100-", 100, -1), ("bytes=-7", -7, -1)]
)
def test_a_range_is_206(site: Site, clip: Clip, video: Path, *, asked: str, first: int, last: int) -> None:
    answer = site.ask("GET", f"/media/{site.links.sign(clip.id, HOUR)}", headers={"Range": asked})

    start, stop = first % clip.size_bytes, last % clip.size_bytes + 1
    assert (answer.status, answer.data) == (206, video.read_bytes()[start:stop])
    assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{clip.size_bytes}"
    assert answer.headers["Content-Length"] == str(stop - start)


def test_a_range_beyond_the_end_is_416(site: Site, clip: Clip) -> None:
    answer = site.ask("GET", f"/media/{site.links.sign(clip.id, HOUR)}", headers={"Range": f"bytes={clip.size_bytes}-"})

    assert (answer.status, answer.data) == (416, b"")
    assert answer.headers["Content-Range"] == f"bytes */{clip.size_bytes}"


def test_a_range_of_another_version_is_answered_with_the_whole(site: Site, clip: Clip) -> None:
    path = f"/media/{site.links.sign(clip.id, HOUR)}"
    other = site.ask("GET", path, headers={"Range": "bytes=0-9", "If-Range": '"another"'})
    same = site.ask("GET", path, headers={"Range": "bytes=0-9", "If-Range": f'"{clip.sha256}"'})

    assert (other.status, same.status) == (200, 206)


def test_after_its_time_a_link_gives_nothing(site: Site, clip: Clip, clock: Any) -> None:
    path = f"/media/{site.links.sign(clip.id, HOUR)}"
    clock.advance(3600)
    answer = site.ask("GET", path)

    assert (answer.status, answer.json()["detail"]) == (404, "This link has expired.")


def test_a_link_that_we_did_not_sign_gives_nothing(site: Site, clip: Clip, clock: Clock) -> None:
    forged = Links(SecretStr("another secret"), clock).sign(clip.id, HOUR)
    signed = site.links.sign(clip.id, HOUR)

    for link in (forged, clip.id, signed[:-1], "A" + signed[1:], "..%2f..%2fetc%2fpasswd"):
        assert site.ask("GET", f"/media/{link}").status == 404


def test_a_file_missing_from_the_store_is_404_and_no_torn_answer(site: Site, storage: LocalStorage, clip: Clip) -> None:
    storage.path(clip.storage_key).unlink()

    assert site.ask("GET", f"/media/{site.links.sign(clip.id, HOUR)}").status == 404


def test_a_download_that_is_broken_off_closes_its_file(site: Site, library: Library, storage: LocalStorage, tmp_path: Path) -> None:
    large = library.add_file(make_sample_video(tmp_path / "l.mp4", seconds=0.2, width=64, height=96, min_bytes=15_000_000))
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as connection:
        connection.sendall(f"GET /media/{site.links.sign(large.id, HOUR)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert connection.recv(10).startswith(b"HTTP/1.1 2")

    stored = storage.path(large.storage_key)
    wait_until(lambda: stored not in {descriptor.resolve() for descriptor in Path("/proc/self/fd").iterdir()})


def test_the_description_of_the_interface_names_both_ways_to_add_a_clip(site: Site) -> None:
    described = site.ask("GET", "/openapi.json").json()["paths"]

    assert set(described["/clips"]["post"]["requestBody"]["content"]) == {"multipart/form-data", "application/json"}
    assert set(described["/media/{signed}"]) == {"get", "head"}
