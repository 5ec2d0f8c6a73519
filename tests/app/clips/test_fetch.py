import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.clips.conftest import Web
from clipcast.clips.fetch import MAX_REDIRECTS, Fetcher
from clipcast.errors import RefusedUrl, TooLarge, UnusableMedia

CAP = 1_000_000
SECRET = "signature=hunter2"


def fetched(fetcher: Fetcher, url: str, max_bytes: int = CAP) -> bytes:
    with fetcher.fetch(url, max_bytes=max_bytes) as blocks:
        return b"".join(blocks)


def test_an_allowed_private_host_is_fetched_whole(fetcher: Fetcher, web: Web) -> None:
    content = bytes(range(256)) * 3000

    assert fetched(fetcher, web.serve("/clip.mp4", content)) == content


def test_the_server_sees_its_name_and_no_wish_for_compression(fetcher: Fetcher, web: Web) -> None:
    fetched(fetcher, web.serve("/clip.mp4?a=b%20c", b"x"))

    path, headers = web.requests[0]
    assert path == "/clip.mp4?a=b%20c"
    assert headers["Host"] == f"nas.test:{web.port}"
    assert headers["Accept-Encoding"] == "identity"


def test_a_name_is_resolved_once_so_that_a_second_answer_cannot_lead_elsewhere(fetcher: Fetcher, web: Web) -> None:
    fetched(fetcher, web.serve("/clip.mp4", b"x"))

    assert web.resolved == ["nas.test"]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "0.0.0.0",
        "2130706433",
        "0x7f000001",
        "127.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "169.254.169.254",
        "10.0.0.1",
    ],
)
def test_a_private_address_is_refused_however_it_is_written(fetcher: Fetcher, web: Web, host: str) -> None:
    web.serve("/clip.mp4", b"x")
    with pytest.raises(RefusedUrl, match="not public"):
        fetched(fetcher, web.url("/clip.mp4", host))

    assert web.requests == []


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["93.184.215.14", "127.0.0.1"],
        ["::1"],
        ["::ffff:192.168.1.1"],
        ["64:ff9b::a00:1"],
        ["2002:7f00:1::"],
        ["fe80::1%eth0"],
        ["100.64.0.1"],
        ["224.0.0.1"],
        ["ff0e::1"],
    ],
)
def test_a_name_that_leads_to_a_private_address_is_refused(fetcher: Fetcher, web: Web, addresses: list[str]) -> None:
    """Also when only one of its addresses is private: which one is dialled must not be a matter of luck."""
    web.hosts["innocent.test"] = addresses
    with pytest.raises(RefusedUrl, match=r"innocent.test leads to an address that is not public"):
        fetched(fetcher, web.url("/clip.mp4", "innocent.test"))


def test_a_redirect_to_a_private_address_is_refused(fetcher: Fetcher, web: Web) -> None:
    web.serve("/secret", b"secret")
    with pytest.raises(RefusedUrl, match="not public"):
        fetched(fetcher, web.redirect("/clip.mp4", f"http://127.0.0.1:{web.port}/secret"))

    assert [path for path, _ in web.requests] == ["/clip.mp4"]


def test_redirects_are_followed_also_relative_ones(fetcher: Fetcher, web: Web) -> None:
    web.redirect("/b/first", "../c")
    web.serve("/c", b"here")

    assert fetched(fetcher, web.redirect("/a", web.url("/b/first"))) == b"here"


def test_a_circle_of_redirects_ends(fetcher: Fetcher, web: Web) -> None:
    with pytest.raises(RefusedUrl, match="redirected more than 5 times"):
        fetched(fetcher, web.redirect("/round", "/round"))

    assert len(web.requests) == MAX_REDIRECTS + 1


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://nas.test/x", "gopher://nas.test:70/x"])
def test_a_redirect_to_another_scheme_is_refused(fetcher: Fetcher, web: Web, target: str) -> None:
    with pytest.raises(RefusedUrl, match="Only http and https"):
        fetched(fetcher, web.redirect("/clip.mp4", target))


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "Only http and https"),
        ("clip.mp4", "Only http and https"),
        ("file:///etc/passwd", "Only http and https"),
        ("javascript:alert(1)", "Only http and https"),
        ("http://", "names no host"),
        ("http:///clip.mp4", "names no host"),
        ("http://[::1", "not a URL"),
        ("http://nas.test:99999/", "not a URL"),
        (f"http://me:{SECRET}@nas.test/", "user name or password"),
        ("http://nas.test@127.0.0.1/", "user name or password"),
        ("http://[fe80::1%25eth0]/", "names no host"),
        ("http://nas.test/" + "a" * 5000, "longer than"),
        ("http://unknown.test/clip.mp4", "unknown.test cannot be resolved"),
    ],
)
def test_a_url_that_may_not_be_fetched_says_why(fetcher: Fetcher, url: str, says: str) -> None:
    with pytest.raises(RefusedUrl, match=says) as caught:
        fetched(fetcher, url)

    assert SECRET not in str(caught.value)


def test_without_permission_the_named_host_is_refused_too(fetcher: Fetcher, web: Web) -> None:
    with pytest.raises(RefusedUrl, match="CLIPCAST_FETCH_ALLOW_HOSTS"):
        fetched(replace(fetcher, allow_hosts=frozenset()), web.serve("/clip.mp4", b"x"))


def test_proxies_of_the_environment_are_not_asked(fetcher: Fetcher, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert fetched(fetcher, web.serve("/clip.mp4", b"direct")) == b"direct"


def test_an_announced_length_above_the_cap_is_refused_before_a_byte_is_read(fetcher: Fetcher, web: Web) -> None:
    url = web.serve("/clip.mp4", b"", {"Content-Length": str(CAP + 1)})
    with pytest.raises(TooLarge, match="1,000,000"):
        fetched(fetcher, url)


def test_a_length_that_was_not_announced_is_capped_while_it_streams(fetcher: Fetcher, web: Web) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")
        except OSError:
            stopped.set()

    stopped = threading.Event()
    web.replies["/endless"] = endless
    with pytest.raises(TooLarge):
        fetched(fetcher, web.url("/endless"))

    assert stopped.wait(5)


def test_chunked_answers_are_read(fetcher: Fetcher, web: Web) -> None:
    def chunked(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n")

    web.replies["/chunked"] = chunked

    assert fetched(fetcher, web.url("/chunked")) == b"abcdefg"


@pytest.mark.parametrize(
    ("headers", "body"),
    [({"Content-Length": "100"}, b"short"), ({"Transfer-Encoding": "chunked"}, b"5\r\nabcde\r\nff\r\nbroken off")],
)
def test_an_answer_that_breaks_off_is_not_taken_for_the_file(fetcher: Fetcher, web: Web, headers: dict[str, str], body: bytes) -> None:
    def breaks_off(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    web.replies["/short"] = breaks_off
    with pytest.raises(UnusableMedia, match=r"stopped sending|broke off"):
        fetched(fetcher, web.url("/short"))


def test_a_reset_connection_is_one_sentence(fetcher: Fetcher, web: Web) -> None:
    def reset(handler: BaseHTTPRequestHandler) -> None:
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()
        handler.wfile = handler.rfile = open("/dev/null", "rb+")  # noqa: SIM115, PTH123  http.server flushes and closes both

    web.replies["/reset"] = reset
    with pytest.raises(UnusableMedia, match=r"nas.test did not deliver the file: the connection failed or broke off"):
        fetched(fetcher, web.url("/reset"))


@pytest.mark.parametrize("status", [404, 403, 500, 204, 206, 304])
def test_an_answer_that_is_not_the_file_names_its_status_and_not_the_query(fetcher: Fetcher, web: Web, status: int) -> None:
    url = web.serve(f"/gone?{SECRET}", b"", status=status)
    with pytest.raises(UnusableMedia, match=f"nas.test answered {status} instead of the file") as caught:
        fetched(fetcher, url)

    assert SECRET not in str(caught.value)


def test_a_compressed_answer_is_refused(fetcher: Fetcher, web: Web) -> None:
    url = web.serve("/clip.mp4", b"\x1f\x8b", {"Content-Encoding": "gzip"})
    with pytest.raises(UnusableMedia, match="compressed although it was asked not to"):
        fetched(fetcher, url)


def test_a_port_where_nobody_listens_is_one_sentence(fetcher: Fetcher) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://nas.test:{unused.getsockname()[1]}/"
        with pytest.raises(UnusableMedia, match=r"nas.test did not deliver the file"):
            fetched(fetcher, url)


def test_the_second_address_is_tried_when_the_first_does_not_answer(fetcher: Fetcher, web: Web) -> None:
    web.hosts["nas.test"] = ["::1", "127.0.0.1"]  # the server listens on the second only

    assert fetched(fetcher, web.serve("/clip.mp4", b"x")) == b"x"


def test_a_silent_server_is_given_up(fetcher: Fetcher, web: Web) -> None:
    over = threading.Event()

    def silent(_: BaseHTTPRequestHandler) -> None:
        over.wait(10)

    web.replies["/silent"] = silent
    with pytest.raises(UnusableMedia, match="too slow"):
        fetched(replace(fetcher, read_timeout_s=0.2), web.url("/silent"))
    over.set()


@pytest.mark.parametrize("dripping", ["header", "body"])
def test_a_server_that_drips_is_cut_off_when_the_time_is_up(fetcher: Fetcher, web: Web, dripping: str) -> None:
    """Each byte comes in time, the file never would."""
    over = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        start = b"HTTP/1.1 200 OK\r\nX-Long: " if dripping == "header" else b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"
        handler.wfile.write(start)
        while not over.wait(0.05):
            try:
                handler.wfile.write(b"x")
            except OSError:
                return

    web.replies["/drip"] = drip
    with pytest.raises(UnusableMedia, match=r"too slow|stopped sending"):
        fetched(replace(fetcher, total_timeout_s=0.5), web.url("/drip"))
    over.set()


def test_a_process_that_ends_waits_for_no_file(fetcher: Fetcher, web: Web) -> None:
    over = threading.Event()

    def stop_us(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\nx")
        fetcher.stop()
        over.wait(10)

    web.replies["/slow"] = stop_us
    for _ in range(2):  # what is asked for later is not begun
        with pytest.raises(UnusableMedia):
            fetched(fetcher, web.url("/slow"))
    over.set()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for `nas.test` and 127.0.0.2 and nothing else, with its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nas.test")])
    names = x509.SubjectAlternativeName([x509.DNSName("nas.test"), x509.IPAddress(ip_address("127.0.0.2"))])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), now - timedelta(hours=1), now + timedelta(days=1)
        )
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


class Secure(BaseHTTPRequestHandler):
    """Answers with the name that the client asked for in the TLS handshake."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{names_asked_for[-1]} {self.headers['Host']}".encode())

    def log_message(self, *_: object) -> None:
        """Be quiet."""


names_asked_for: list[str | None] = []


@pytest.fixture
def secure_port(certificate: Path) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda _socket, name, _context: names_asked_for.append(name)
    server = HTTPServer(("127.0.0.1", 0), Secure)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a refused handshake is the test's point, not an error
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def test_tls_checks_the_name_although_a_number_is_dialled(fetcher: Fetcher, certificate: Path, secure_port: int) -> None:
    trusting = replace(fetcher, ca_certs=str(certificate))

    assert fetched(trusting, f"https://nas.test:{secure_port}/") == f"nas.test nas.test:{secure_port}".encode()


def test_a_certificate_for_another_name_is_refused(fetcher: Fetcher, certificate: Path, web: Web, secure_port: int) -> None:
    web.hosts["other.test"] = ["127.0.0.1"]
    trusting = replace(fetcher, ca_certs=str(certificate), allow_hosts=frozenset({"other.test"}))
    with pytest.raises(UnusableMedia, match="certificate or encryption cannot be trusted"):
        fetched(trusting, f"https://other.test:{secure_port}/")


def test_a_certificate_that_nobody_vouches_for_is_refused(fetcher: Fetcher, secure_port: int) -> None:
    with pytest.raises(UnusableMedia, match="certificate or encryption cannot be trusted"):
        fetched(fetcher, f"https://nas.test:{secure_port}/")
