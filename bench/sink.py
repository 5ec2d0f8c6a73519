"""A server that takes uploads and throws them away: `python bench/sink.py [PROCESSING_S]` prints its port.

It answers the few calls of each platform that an upload needs, as cheaply as Python can, so that what is measured is the sender. A TikTok
post is complete PROCESSING_S seconds after its init (at once, when that is not given).
"""

import json
import re
import socket
import sys
import threading
import time
from collections.abc import Callable

BUFFER_BYTES = 1 << 20
CREATOR = {
    "creator_username": "bench",
    "creator_nickname": "bench",
    "privacy_level_options": ["PUBLIC_TO_EVERYONE"],
    "comment_disabled": False,
    "duet_disabled": False,
    "stitch_disabled": False,
    "max_video_post_duration_sec": 3600,
}

YOUTUBE_CHANNEL = {
    "items": [
        {
            "id": "UC0000000000000000000000",
            "contentDetails": {"relatedPlaylists": {"uploads": "UU0000000000000000000000"}},
            "status": {"longUploadsStatus": "allowed"},
        }
    ]
}


def main() -> None:
    """Serve until killed."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    print(listener.getsockname()[1], flush=True)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_serve, args=(connection, listener.getsockname()[1]), daemon=True).start()


def _serve(connection: socket.socket, port: int) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    buffer, head = bytearray(BUFFER_BYTES), b""
    with connection:
        while True:
            while b"\r\n\r\n" not in head:
                got = connection.recv(65536)
                if not got:
                    return
                head += got
            head, _, rest = head.partition(b"\r\n\r\n")
            length = int(_header(head, b"content-length") or 0)
            if _header(head, b"expect"):
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            body = _swallow(connection, buffer, rest, length, keep=length < BUFFER_BYTES)
            connection.sendall(_answer(head, body, port))
            head = b""


def _header(head: bytes, name: bytes) -> bytes | None:
    found = re.search(rb"^" + name + rb":\s*(.*?)\r?$", head, re.IGNORECASE | re.MULTILINE)
    return found[1] if found else None


def _swallow(connection: socket.socket, buffer: bytearray, rest: bytes, length: int, *, keep: bool) -> bytes:
    kept, missing = rest, length - len(rest)
    while missing > 0:
        got = connection.recv_into(buffer, min(BUFFER_BYTES, missing))
        if not got:
            break
        if keep:
            kept += buffer[:got]
        missing -= got
    return kept


def _answer(head: bytes, body: bytes, port: int) -> bytes:
    request = head.split(b"\r\n", 1)[0].decode()
    for beginning, answer in ANSWERS.items():
        if request.startswith(beginning):
            return answer(head, body, port)
    return _http("404 Not Found", b"", "")


def _tiktok_chunk(head: bytes, *_: object) -> bytes:
    span = re.match(rb"bytes (\d+)-(\d+)/(\d+)", _header(head, b"content-range") or b"bytes 0-0/1")
    assert span
    done = int(span[2]) + 1 == int(span[3])
    extra = f"Content-Range: bytes 0-{int(span[2]) + 1}/{int(span[3])}\r\n"
    return _http("201 Created" if done else "206 Partial Content", b"null", extra)


def _tiktok_init(_: bytes, __: bytes, port: int) -> bytes:
    """The id is the time, so that nothing has to be remembered."""
    return _ok({"publish_id": f"v_pub_file~v2-1.{time.time_ns():019d}", "upload_url": f"http://127.0.0.1:{port}/upload?upload_id=1"})


def _tiktok_status(_: bytes, body: bytes, __: int) -> bytes:
    begun_ns = int(json.loads(body)["publish_id"].rpartition(".")[2])
    if time.time_ns() < begun_ns + PROCESSING_S * 1e9:
        return _ok({"status": "PROCESSING_UPLOAD"})
    return _ok({"status": "PUBLISH_COMPLETE", "publicaly_available_post_id": [7_000_000_000_000_000_000 + begun_ns % 10**15]})


def _youtube_session(_: bytes, __: bytes, port: int) -> bytes:
    return _http("200 OK", b"", f"Location: http://127.0.0.1:{port}/upload/youtube/v3/videos?upload_id=1\r\n")


def _youtube_chunk(head: bytes, *_: object) -> bytes:
    span = re.match(rb"bytes (\d+)-(\d+)/(\d+)", _header(head, b"content-range") or b"")
    if span and int(span[2]) + 1 < int(span[3]):
        return _http("308 Resume Incomplete", b"", f"Range: bytes=0-{int(span[2])}\r\n")
    return _json({"kind": "youtube#video", "id": "abcdefghijk", "status": {"uploadStatus": "uploaded", "privacyStatus": "public"}})


def _json(content: object) -> bytes:
    return _http("200 OK", json.dumps(content).encode(), "")


def _ok(content: object) -> bytes:
    return _http("200 OK", json.dumps({"data": content, "error": {"code": "ok", "message": "", "log_id": "1"}}).encode(), "")


def _http(status: str, body: bytes, extra: str) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{extra}\r\n".encode() + body


def _instagram_container(_: bytes, __: bytes, port: int) -> bytes:
    return _json({"id": CONTAINER, "uri": f"http://127.0.0.1:{port}/rupload/{CONTAINER}"})


PROCESSING_S = float(sys.argv[1]) if len(sys.argv) > 1 else 0.0
CONTAINER = "17889455560051444"
ANSWERS: dict[str, Callable[[bytes, bytes, int], bytes]] = {
    "PUT /upload/youtube": _youtube_chunk,
    "PUT /upload": _tiktok_chunk,
    "POST /upload/youtube": _youtube_session,
    "GET /youtube": lambda *_: _json(YOUTUBE_CHANNEL),
    "POST /rupload": lambda *_: _json({"success": True}),
    "POST /v2/post/publish/creator_info": lambda *_: _ok(CREATOR),
    "POST /v2/post/publish/status": _tiktok_status,
    "POST /v2/post/publish": _tiktok_init,
    "POST /v": _instagram_container,
    "GET /v": lambda *_: _json({"id": CONTAINER, "status_code": "IN_PROGRESS"}),
}
"""What is answered to requests that begin so; the first that fits."""


if __name__ == "__main__":
    main()
