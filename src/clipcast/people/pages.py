"""The few pages of a browser's way in: the one-time link, signing in, who is signed in. Plain HTML, no script at all."""

from collections.abc import Callable, Mapping
from functools import cache
from html import escape
from importlib.resources import files
from string import Template
from typing import Annotated, Final

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from clipcast.errors import Busy, ClipcastError, Conflict, Forbidden, NotFound, TooManyAttempts, Unauthorized
from clipcast.people import browsers, invitations, passwords, signing_in, store
from clipcast.people.access import Actor, Permission, Role
from clipcast.people.admission import PUBLIC
from clipcast.people.browsers import services
from clipcast.people.models import Invitation
from clipcast.people.signing_in import Device, SignedIn

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Form()]

_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    # Not no-referrer: under that, browsers send their forms with `Origin: null`, and nothing would tell ours from a stranger's.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
_STATUS: Final[Mapping[type[ClipcastError], int]] = {
    Unauthorized: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    TooManyAttempts: 429,
    Busy: 503,
}
_LEADS: Final[Mapping[str, str]] = {
    Role.OWNER: "You will be an owner: you connect accounts, and decide who else may do what.",
    Role.EDITOR: "You will be an editor: you bring in clips, compose posts, schedule and publish them.",
    Role.VIEWER: "You will be a viewer: you see posts, clips, accounts and what happened.",
}
_MAY: Final[Mapping[str, str]] = {"read": "look at everything", "publish": "publish", "manage": "manage accounts, people and keys"}


@router.get("/style.css", dependencies=[PUBLIC])
def style() -> Response:
    """What the pages look like."""
    headers = {"Cache-Control": "max-age=3600", "X-Content-Type-Options": "nosniff"}
    return Response(_file("style.css"), media_type="text/css", headers=headers)


@router.get("/welcome", dependencies=[PUBLIC])
def show_welcome(request: Request, token: str = "") -> Response:
    """The page behind a one-time link."""
    return _answering("This link does not work", lambda: _invited(request, token))


@router.post("/welcome", dependencies=[PUBLIC])
def join(request: Request, token: Text = "", name: Text = "", email: Text = "", password: Text = "") -> Response:
    """Use the link: its person is made, or has a new password, and is signed in."""

    def attempt() -> Response:
        browsers.check_browser(request)
        return _let_in(request, _redeemed(request, token, name, email, password))

    def again(sentence: str) -> Response:
        return _invited(request, token, name=name, email=email, trouble=sentence)

    return _answering("This link does not work", attempt, again)


@router.get("/login", dependencies=[PUBLIC])
def show_login(request: Request) -> Response:
    """The page to sign in."""
    return _answering("Signing in does not work here", lambda: _login(request))


@router.post("/login", dependencies=[PUBLIC])
def sign_in(request: Request, email: Text = "", password: Text = "") -> Response:
    """Sign in."""

    def attempt() -> Response:
        response = RedirectResponse("/", 303)
        browsers.sign_in(request, response, email, password)
        return response

    return _answering("Signing in does not work here", attempt, lambda sentence: _login(request, email=email, trouble=sentence))


@router.post("/logout", dependencies=[PUBLIC])
def sign_out(request: Request) -> Response:
    """Sign out."""

    def attempt() -> Response:
        response = RedirectResponse("/login", 303)
        browsers.sign_out(request, response)
        return response

    return _answering("You are still signed in", attempt)


def is_wanted(request: Request) -> bool:
    """Whether a person looks at the answer: a browser that opens an address asks for HTML by name, programs do not."""
    return request.method == "GET" and "text/html" in request.headers.get("Accept", "")


def start(request: Request, actor: Actor) -> Response:
    """Who is signed in, and where to go from here."""
    with services(request).db.reading() as session:
        email = store.person_of(session, actor.id).email if actor.kind == "person" else "an API key"
    permissions = ", ".join(_MAY[permission] for permission in sorted(actor.permissions, key=list(_MAY).index))
    connect = _filled("connect.html") if Permission.MANAGE in actor.permissions else _Html("")
    page = _page("start.html", "You are in", name=actor.name, email=email, role=actor.role, permissions=permissions, connect=connect)
    prolonged = getattr(request.state, "prolonged_session", None)
    if prolonged is not None:
        browsers.give_session(request, page, prolonged)
    return page


def _answering(title: str, attempt: Callable[[], Response], again: Callable[[str], Response] | None = None) -> Response:
    """What `attempt` answers; when it fails, the form once more with the reason, or a page that says it."""
    try:
        return attempt()
    except ClipcastError as error:
        try:
            page = again(str(error)) if again and not isinstance(error, Forbidden) else _message(title, error)
        except ClipcastError as worse:  # the link has ended meanwhile: there is no form any more
            page = _message(title, worse)
        page.status_code = next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 400)
        if isinstance(error, TooManyAttempts):
            page.headers["Retry-After"] = str(int(error.retry_after_s))
        return page


def _invited(request: Request, token: str, *, name: str = "", email: str = "", trouble: str = "") -> Response:
    browsers.check_name(request)
    installation = services(request)
    with installation.db.reading() as session:
        invitation = invitations.opened(session, token, installation.clock())
        is_here = invitation.email is not None and store.person_with(session, invitation.email) is not None
    return _reset(invitation, token, trouble) if is_here else _welcome(invitation, token, name, email, trouble)


def _welcome(invitation: Invitation, token: str, name: str, email: str, trouble: str) -> Response:
    return _page(
        "welcome.html",
        "Welcome to Clipcast",
        trouble=trouble,
        lead=_LEADS[invitation.role],
        token=token,
        name=name,
        email=invitation.email or email,
        fixed_email=_Html(" readonly" if invitation.email else ""),
        focus_name=_Html("" if name else " autofocus"),
        action="Join",
    )


def _reset(invitation: Invitation, token: str, trouble: str) -> Response:
    return _page("reset.html", "A new password", trouble=trouble, token=token, email=invitation.email or "")


def _login(request: Request, *, email: str = "", trouble: str = "") -> Response:
    browsers.check_name(request)
    focus = _Html(" autofocus")
    return _page(
        "login.html",
        "Sign in",
        trouble=trouble,
        email=email,
        focus_email=_Html("") if email else focus,
        focus_password=focus if email else _Html(""),
    )


def _redeemed(request: Request, token: str, name: str, email: str, password: str) -> SignedIn:
    installation = services(request)
    now = installation.clock()
    with installation.db.reading() as session:
        invitation = invitations.opened(session, token, now)
        there = store.person_with(session, invitation.email) if invitation.email else None
    if there is not None:
        name, email = there.name, there.email
    name, email = passwords.checked_name(name), passwords.checked_email(email)
    password_hash = passwords.hashed(passwords.checked_password(password, email=email, name=name))
    joining = invitations.Joining(name, email, password_hash)
    with installation.db.writing() as session:
        person = invitations.redeem(session, token, joining, now)
        return SignedIn(person, signing_in.welcomed(session, person, now), Device.of(person))


def _let_in(request: Request, signed_in: SignedIn) -> Response:
    response = RedirectResponse("/", 303)
    browsers.let_in(request, response, signed_in)
    return response


def _message(title: str, error: ClipcastError) -> Response:
    return _page("message.html", "Not just now" if isinstance(error, Busy) else title, sentence=str(error))


class _Html(str):
    """Markup of our own: not escaped."""

    __slots__ = ()


def _page(template: str, title: str, *, trouble: str = "", **values: str) -> Response:
    """The template in the layout, every value escaped."""
    limits = {"shortest": str(passwords.SHORTEST), "longest": str(passwords.LONGEST)}
    told = _filled("trouble.html", sentence=trouble) if trouble else _Html("")
    content = _filled(template, title=title, trouble=told, **limits, **values)
    return HTMLResponse(_filled("layout.html", title=title, content=content), headers=_HEADERS)


def _filled(template: str, **values: str) -> _Html:
    escaped = {name: value if isinstance(value, _Html) else escape(value) for name, value in values.items()}
    return _Html(Template(_file(template)).substitute(escaped))


@cache
def _file(name: str) -> str:
    return (files("clipcast.people") / "html" / name).read_text(encoding="utf-8")
