"""What is particular to browsers: cookies, whose page asked, and signing in and out with them."""

from datetime import timedelta
from typing import Final, Protocol, cast

from fastapi import Request, Response

from clipcast.clock import Clock
from clipcast.db.engine import Database
from clipcast.people import origins, sessions, signing_in, store
from clipcast.people.cookies import DEVICE, SECURE, SESSION, Cookies
from clipcast.people.signing_in import Device, SignedIn
from clipcast.people.tokens import digest
from clipcast.settings import Settings

DEVICE_LASTS: Final = timedelta(days=365)


class Services(Protocol):
    """What the door needs of the application's state (`app.state.clipcast`)."""

    db: Database
    clock: Clock
    settings: Settings
    cookies: Cookies


def services(request: Request) -> Services:
    """The installation that answers this request."""
    return cast("Services", request.app.state.clipcast)


def check_browser(request: Request) -> None:
    """Pass when one of our own pages sent this, under a name of ours.

    Raises:
        WrongOrigin: another page did, or the name is not ours.
    """
    check_name(request)
    if request.method not in origins.ASKING:
        origins.check_origin(request.headers, services(request).settings.public_url)


def check_name(request: Request) -> None:
    """Pass when the browser calls us by a name of ours.

    Raises:
        WrongOrigin: the name could be anybody's.
    """
    origins.check_host(request.headers.get("host", ""), services(request).settings.public_url)


def sign_in(request: Request, response: Response, email: str, password: str) -> SignedIn:
    """Let somebody in by email and password; the response carries their session.

    Raises:
        WrongOrigin: as `check_browser`: nobody is signed in by a page of somebody else.
        Unauthorized, TooManyAttempts, Busy: as `signing_in.sign_in`.
    """
    check_browser(request)
    installation = services(request)
    signed_in = signing_in.sign_in(
        installation.db, email, password, installation.clock(), address=_address(request), device=_device(request)
    )
    let_in(request, response, signed_in)
    return signed_in


def let_in(request: Request, response: Response, signed_in: SignedIn) -> None:
    """Hand the session over; the one that this browser had before ends."""
    _end_session(request)
    give_session(request, response, signed_in.token)
    know(request, response, signed_in.device)


def know(request: Request, response: Response, device: Device) -> None:
    """Have the browser say from now on that this person signed in with it."""
    _give(request, response, DEVICE, f"{device.person_id} {device.id} {device.mark}", DEVICE_LASTS)


def sign_out(request: Request, response: Response) -> None:
    """End the session of this browser, and have it forget the cookie.

    Raises:
        WrongOrigin: as `check_browser`.
    """
    check_browser(request)
    _end_session(request)
    response.delete_cookie(_name(request, SESSION), path="/", secure=_is_https(request), httponly=True, samesite="lax")


def give_session(request: Request, response: Response, token: str) -> None:
    """Have the browser keep this session until it was unused for long."""
    _give(request, response, SESSION, token, sessions.LASTS)


def session_token(request: Request) -> str | None:
    """The session token that the browser sent, if we signed it; whether its session lives is another question."""
    return services(request).cookies.read(SESSION, request.cookies, https_only=_is_https(request))


def _end_session(request: Request) -> None:
    if (token := session_token(request)) is not None:
        with services(request).db.writing() as session:
            store.end_session(session, digest(token))


def _device(request: Request) -> Device | None:
    value = services(request).cookies.read(DEVICE, request.cookies, https_only=_is_https(request))
    parts = (value or "").split(" ")
    return Device(*parts) if len(parts) == 3 else None


def _give(request: Request, response: Response, name: str, value: str, lasts: timedelta) -> None:
    """Out of reach of scripts, and sent along only by our own pages and by plain links to them."""
    response.set_cookie(
        _name(request, name),
        services(request).cookies.sign(name, value),
        max_age=int(lasts.total_seconds()),
        path="/",
        secure=_is_https(request),
        httponly=True,
        samesite="lax",
    )


def _name(request: Request, name: str) -> str:
    return SECURE + name if _is_https(request) else name


def _is_https(request: Request) -> bool:
    """Also by the cookie itself: a browser keeps and sends the protected one under TLS alone, whatever name a proxy calls us by."""
    return SECURE + SESSION in request.cookies or origins.is_https(request.headers, services(request).settings.public_url)


def _address(request: Request) -> str:
    """Whom we are connected to. Headers in which others say who they are (X-Forwarded-For) are not asked: anybody can write them."""
    return request.client.host if request.client else ""
