"""A server that takes uploads and throws them away: `python bench/sink.py` prints its port.

It answers the few TikTok calls that a direct post needs, as cheaply as Python can, so that what is measured is the sender.
"""

import json
import re
import socket
import threading

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
    if request.startswith("PUT"):
        span = re.match(rb"bytes (\d+)-(\d+)/(\d+)", _header(head, b"content-range") or b"bytes 0-0/1")
        assert span
        done = int(span[2]) + 1 == int(span[3])
        extra = f"Content-Range: bytes 0-{int(span[2]) + 1}/{int(span[3])}\r\n"
        return _http("201 Created" if done else "206 Partial Content", b"null", extra)
    if "creator_info" in request:
        return _ok(CREATOR)
    if "status/fetch" in request:
        return _ok({"status": "PUBLISH_COMPLETE", "publicaly_available_post_id": [7000000000000000001]})
    if "init" in request:
        return _ok(
            {"publish_id": f"v_pub_file~v2-1.{abs(hash(body)):019d}"[:60], "upload_url": f"http://127.0.0.1:{port}/upload?upload_id=1"}
        )
    return _http("404 Not Found", b"", "")


def _ok(content: object) -> bytes:
    return _http("200 OK", json.dumps({"data": content, "error": {"code": "ok", "message": "", "log_id": "1"}}).encode(), "")


def _http(status: str, body: bytes, extra: str) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{extra}\r\n".encode() + body


if __name__ == "__main__":
    main()
