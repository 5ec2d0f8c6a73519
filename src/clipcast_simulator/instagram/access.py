"""Who is calling: the token wherever it stands, its permissions, the account it reaches."""

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final

from clipcast_simulator import journal
from clipcast_simulator.exchange import Context, Request
from clipcast_simulator.instagram import tokens, world
from clipcast_simulator.instagram.errors import Refusal
from clipcast_simulator.instagram.parameters import Given
from clipcast_simulator.instagram.tokens import Token
from clipcast_simulator.instagram.world import Account, App

_HEADER: Final = re.compile(r"(?:Bearer|OAuth) (\S+)")

#: What each kind of call needs, by login.
READ: Final = {
    "instagram": frozenset({"instagram_business_basic"}),
    "facebook": frozenset({"instagram_basic", "pages_read_engagement"}),
}
PUBLISH: Final = {
    "instagram": READ["instagram"] | {"instagram_business_content_publish"},
    "facebook": READ["facebook"] | {"instagram_content_publish"},
}
DELETE: Final = {"instagram": READ["instagram"], "facebook": READ["facebook"] | {"instagram_manage_contents"}}
COMMENTS: Final = {
    "instagram": READ["instagram"] | {"instagram_business_manage_comments"},
    "facebook": READ["facebook"] | {"instagram_manage_comments"},
}
PAGES: Final = {"instagram": frozenset[str](), "facebook": frozenset({"pages_show_list"})}

Permissions = dict[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Caller:
    """An app acting with a token."""

    token: Token
    app: App

    @property
    def login(self) -> str:
        """Which of the two products it uses."""
        return self.token.login

    def require(self, permissions: Permissions) -> None:
        """Refuse a token without these permissions."""
        if missing := sorted(permissions[self.login] - set(self.token.scopes)):
            raise Refusal(10, message=f"(#10) Application does not have permission for this action: {missing[0]}")


def sent_token(request: Request, given: Given | None) -> str | None:
    """Find the token a request carries; it may carry it once."""
    match = _HEADER.fullmatch(request.header("authorization") or "")
    in_parameters = given.text("access_token") if given is not None else None
    if match is not None and in_parameters not in (None, match[1]):
        raise Refusal(100, message="(#100) Two different access tokens were sent")
    return match[1] if match is not None else in_parameters


def enter(context: Context, request: Request, given: Given) -> Caller:
    """Find the living token of a request; raises Refusal."""
    text = sent_token(request, given)
    if text is None:
        raise Refusal(104)
    caller = admit(context, text)
    _check_proof(caller, given)
    return caller


def admit(context: Context, text: str) -> Caller:
    """Check a token: known, not killed, not expired; raises Refusal 190."""
    token = tokens.find(context.connection, text)
    app = None if token is None else world.app(context.connection, token.app_id)
    if token is None or app is None:
        raise Refusal(190)
    journal.note(context.connection, context.entry, username=token.username)
    if token.dead is not None:
        raise Refusal(190, token.dead)
    if token.is_expired(context.now):
        raise Refusal(190, context.settings.instagram.expired_subcode, "Error validating access token: Session has expired.")
    return Caller(token, app)


def reach(context: Context, caller: Caller, node: str) -> Account:
    """Find the account that a path names and the token may act for; raises Refusal 100/33."""
    if node == "me" and caller.login == "instagram":
        account = world.account(context.connection, caller.token.username)
    else:
        account = world.account_by_id(context.connection, node)
    if account is None or not caller.token.reaches(account):
        raise unsupported(node)
    if account.restricted:
        raise Refusal(25, 2207050)
    return account


def unsupported(node: str) -> Refusal:
    """Make the refusal of an object that is not there, or not for this caller."""
    told = f"Object with ID '{node}' does not exist, cannot be loaded due to missing permissions, or does not support this operation"
    return Refusal(100, 33, f"Unsupported request. {told}.")


def proof(token: str, app_secret: str) -> str:
    """Return the appsecret_proof of a token: hexadecimal HMAC-SHA256, keyed with the app secret."""
    return hmac.new(app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def _check_proof(caller: Caller, given: Given) -> None:
    sent = given.text("appsecret_proof")
    if caller.login == "instagram":
        if sent is not None:
            raise Refusal(100, message="(#100) Unknown parameter: appsecret_proof")
    elif sent is None:
        if caller.app.requires_proof:
            raise Refusal(100, message="API calls from the server require an appsecret_proof argument")
    elif not hmac.compare_digest(sent.encode(), proof(caller.token.token, caller.app.app_secret).encode()):
        raise Refusal(104, message="Invalid appsecret_proof provided in the API argument")


def owner(context: Context, caller: Caller, username: str, node: str) -> Account:
    """Return the account that an object belongs to, if the token may act for it; raises Refusal 100/33."""
    account = world.account(context.connection, username)
    if account is None or not caller.token.reaches(account):
        raise unsupported(node)
    return account
