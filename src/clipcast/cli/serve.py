"""`clipcast serve`: the HTTP interface, with the worker in the same process."""

import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Final

import typer

from clipcast.cli.opening import opened
from clipcast.cli.output import Json, say, show_json, tell

if TYPE_CHECKING:
    import socket

    import uvicorn

    from clipcast.system import Clipcast

LEAVE_WITHIN_S: Final = 15.0
"""How long what is under way may take at the end, such as a platform's answer with new tokens.

With the 10 s for open requests and the 10 s for uploads it stays below the 40 s after which systemd and Docker kill (`deploy/`).
"""

_STOPPING: Final = (signal.SIGINT, signal.SIGTERM)


def serve(
    host: Annotated[str, typer.Option("--host", help="The address to listen on; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="The port to listen on; 0 takes a free one.")] = 8000,
    as_json: Json = False,
) -> None:
    """Serve the HTTP interface and carry out every publication that is due, until stopped; with CLIPCAST_BROKER_URL, Celery's workers do.

    SIGTERM and Ctrl-C stop it in order: open requests end, uploads stop at their next save and are resumed by the next start.
    """
    import uvicorn

    from clipcast.api.app import create_app
    from clipcast.api.connections import config

    with _listener(host, port) as listener, opened(log_on_stderr=True) as clipcast:
        server = uvicorn.Server(config(create_app(clipcast, with_worker=True), descriptors=_descriptors()))
        _end_when_asked(server)
        _greet(clipcast, host, listener.getsockname()[1], as_json=as_json)
        server.run(sockets=[listener])
        leave_within(LEAVE_WITHIN_S)
        if not server.started:
            raise typer.Exit(1)  # the application could not start, and has said why


def _end_when_asked(server: "uvicorn.Server") -> None:
    """From before it runs until it has ended: uvicorn raises the signals that it took again, when all is in order already."""

    def end(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    for number in _STOPPING:
        signal.signal(number, end)


def leave_within(seconds: float, *, say_after_s: float = 1.0) -> None:
    """End this process even if a thread of it does not; from now on, a signal ends it at once.

    Python waits for its threads at the end, however long they take. What an answer that comes in time brought is saved.
    """
    import os
    import threading
    import time

    for number in _STOPPING:
        signal.signal(number, signal.SIG_DFL)

    def watch() -> None:  # in a thread that nobody waits for
        time.sleep(say_after_s)
        tell(f"Waiting up to {seconds:.0f} s for answers that are under way. Ctrl-C leaves at once.")
        time.sleep(max(0.0, seconds - say_after_s))
        tell("They did not come in time. What was begun is looked at again by the next start.")
        os._exit(0)

    threading.Thread(target=watch, name="clipcast-leave", daemon=True).start()


def _descriptors() -> int:
    """How many files and connections this process may have open."""
    try:
        import resource
    except ModuleNotFoundError:  # Windows counts otherwise, and allows many
        return 16_384
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return sys.maxsize if allowed == resource.RLIM_INFINITY else allowed


def _listener(host: str, port: int) -> "socket.socket":
    import os
    import socket

    from clipcast.cli.ports import told_when_taken

    with told_when_taken(host, port):
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(family, kind, protocol)
        try:
            if os.name != "nt":  # there it would let two programs share the port
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(2048)
        except OSError:
            listener.close()
            raise
    return listener


def _first_link(clipcast: "Clipcast", url: str) -> str | None:
    """The link that makes the first owner; None once there is one."""
    from clipcast.people import invitations

    with clipcast.db.writing() as session:
        token = invitations.first_link(session, clipcast.clock())
    return None if token is None else invitations.link(url, token)


def _greet(clipcast: "Clipcast", host: str, port: int, *, as_json: bool) -> None:
    """Say where everything is, and what strangers could reach."""
    from clipcast.cli.ports import is_loopback

    shown = "127.0.0.1" if host == "0.0.0.0" else f"[{host}]" if ":" in host else host  # noqa: S104  # compared, not listened on
    url, settings = f"http://{shown}:{port}", clipcast.settings
    welcome = _first_link(clipcast, settings.public_url or url)
    if as_json:
        show_json({"url": url, "docs": f"{url}/docs", "health": f"{url}/healthz", "welcome": welcome})
    else:
        say(f"Clipcast listens on {url}. Interactive documentation: {url}/docs. Data: {settings.data_dir.absolute()}. Ctrl-C stops it.")
        if welcome:
            say(f"There is no owner yet. Open this link within 24 hours to become the owner; it works once:\n\n    {welcome}\n")
    if settings.broker_url:
        tell(
            "CLIPCAST_BROKER_URL is set, so Celery's workers carry out what is due: at least one `clipcast worker`, and one with --beat. "
            "Nothing is published without them."
        )
    if not is_loopback(host) and settings.simulation == "fallback":
        tell(
            "Other machines can reach this server, and accounts without credentials publish to the simulator (posts that nobody sees). "
            "Set CLIPCAST_SIMULATION=off to refuse them instead."
        )
