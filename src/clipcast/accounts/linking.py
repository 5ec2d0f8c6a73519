"""Connecting accounts by their owners' consent: to the platform's page and back.

The page's answer (a code) is good once and within minutes, and so is the state that it comes with. The state is spent, in a transaction of
its own, before any request leaves: whatever happens then, nobody can use it a second time, and its owner begins anew.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from ipaddress import ip_address
from typing import Final, Protocol
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from clipcast.accounts import pending, store
from clipcast.accounts.connecting import Connecting, check_main
from clipcast.accounts.credentials import await_identities, identity_fault, opened
from clipcast.accounts.discretion import discreet
from clipcast.accounts.models import LONGEST_USERNAME, PendingLink, SocialAccount
from clipcast.accounts.pending import LinkRefused, Plan, Wish
from clipcast.accounts.provider import app_credentials
from clipcast.accounts.vault import CredentialError, Vault
from clipcast.clock import Clock
from clipcast.db.engine import Database
from clipcast.db.storable import storable
from clipcast.errors import InvalidRequest, PlatformMismatch, UnsupportedPlatform
from clipcast.log import get_logger
from clipcast.people.access import Permission
from clipcast.people.standing import permissions_now
from clipcast.platforms.base import Answer, AnyPlatform, Credentials, Request
from clipcast.platforms.consent import Consent, ConsentRefused, Linkable
from clipcast.platforms.registry import simulated_platforms
from clipcast.platforms.simulated import SimulatorDesk
from clipcast.settings import Settings

log = get_logger(__name__)

NO_APP: Final = Credentials({})
_LOCALHOST: Final = "localhost"
_NOT_ANY_MORE: Final = (
    "Whoever began this consent is not here any more, or may not connect accounts any more, so nothing was connected. "
    "Ask an owner to begin anew."
)


class AppNotSet(InvalidRequest):
    """The app's own id and secret are missing, and the simulator may not stand in; the sentence names the variables."""

    code = "app_not_set"


class NoAddress(InvalidRequest):
    """The platform could not send anybody back to this server; the sentence says what to set."""

    code = "no_public_address"


class SimulatorOutOfReach(InvalidRequest):
    """Our own simulator answers on this machine alone, and the browser is on another; the sentence says what to set."""

    code = "simulator_out_of_reach"


class NotChosen(InvalidRequest):
    """Nothing was chosen among what was `found`, or something else; the choice is open still."""

    def __init__(self, sentence: str, found: Sequence[Linkable]) -> None:
        super().__init__(sentence)
        self.found = tuple(found)


class SimulatorAddress(Protocol):
    """Where the simulator is."""

    def simulator_url(self) -> str:
        """The simulator's base URL; starts our own where none is configured."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a consent came to: the accounts that are connected now, or, with a `choice_token`, what there is to choose from."""

    accounts: tuple[SocialAccount, ...]
    simulated: bool
    return_to: str
    choices: tuple[Linkable, ...] = ()
    choice_token: str = ""


@dataclass(frozen=True, slots=True)
class _Counterpart:
    """Whom the consent is with: the platform and our app there, or the simulator and the app that we have there. Never a mixture."""

    platform: AnyPlatform
    app: Credentials


@dataclass(frozen=True, slots=True)
class Linker:
    """Connects accounts. `send` performs one request and may raise a `WireError`."""

    db: Database
    vault: Vault
    settings: Settings
    clock: Clock
    send: Callable[[Request], Answer]
    live: Mapping[str, AnyPlatform]
    standin: SimulatorAddress

    def start(self, wish: Wish, *, redirect_uri: str, browser: str, actor: str) -> str:
        """Begin a consent; returns the address of the platform's page, where the owner's browser goes.

        Raises:
            UnsupportedPlatform, InvalidRequest, NotFound: the wish makes no sense; says why.
            AppNotSet: the app's id and secret are missing and simulation is off.
            SimulatorOutOfReach: the simulator's page would be on this machine, and the browser is not.
        """
        wish = self._checked(wish)
        simulated = self._is_simulated(wish.platform)
        if simulated:
            self._check_reach(wish.platform, redirect_uri)
        counterpart = self._counterpart(wish, redirect_uri, simulated=simulated)
        with self.db.writing() as session:
            consent = pending.begin(
                session,
                self.vault,
                wish,
                simulated=simulated,
                redirect_uri=redirect_uri,
                browser=browser,
                actor=actor,
                now=self.clock(),
            )
            return counterpart.platform.consent_url(counterpart.app, consent)

    def arrived(self, platform: str, callback: Mapping[str, str], browser: str) -> Outcome:
        """Somebody came back from the platform's page: connect what the consent is for, or say what there is to choose from.

        Raises:
            LinkUsed: the state was used.
            LinkRefused: it is too old, or is another browser's, or who began it may not connect accounts any more;
                nothing was asked of the platform.
            ConsentRefused: the owner said no, or a permission is missing.
            WrongAccount: the consent is for another account than was to be connected again.
            ConfigurationError, WireError, PlatformError: no accounts came of it; begin anew.
        """
        now = self.clock()
        state = callback.get("state", "")
        with self.db.writing() as session:
            link, plan = pending.spend(session, self.vault, platform=platform, state=state, browser=browser, now=now)
            may_still = _may_still(session, link, now)
        if not may_still:  # said here, where the state stays spent
            raise LinkRefused(_NOT_ANY_MORE)
        with pending.refusing(plan.wish):
            return self._traded(link, plan, state, callback, now)

    def _traded(self, link: PendingLink, plan: Plan, state: str, callback: Mapping[str, str], now: datetime) -> Outcome:
        """Trade the code for what it is good for, and connect that."""
        counterpart = self._counterpart(plan.wish, link.redirect_uri, simulated=plan.simulated)
        consent = Consent(link.redirect_uri, state, plan.verifier, link.login)
        secrets = _secrets(counterpart.app, consent, callback)
        found = tuple(_kept(one) for one in self._driven(counterpart.platform.linking(counterpart.app, consent, callback, now), secrets))
        if not found:
            raise ConsentRefused("The consent is good for no account. Sign in at the platform with the account to connect, and begin anew.")
        with self.db.writing() as session:
            connecting = self._connecting(session, link, plan, counterpart.app)
            meant = _meant(connecting, found)
            if len(meant) > 1:
                token = pending.offer(session, self.vault, link, plan, found=meant, now=self.clock())
                return Outcome((), plan.simulated, plan.wish.return_to, meant, token)
            return self._connected(connecting, meant, plan)

    def choose(self, platform: str, token: str, external_ids: Sequence[str], browser: str) -> Outcome:
        """Connect those that were chosen among what `arrived` found.

        Raises:
            LinkUsed, LinkRefused: as `arrived`.
            NotChosen: nothing was chosen, or something that was not found; choose again.
        """
        with self.db.writing() as session:
            link, plan = pending.take(session, self.vault, platform=platform, token=token, browser=browser, now=self.clock())
            chosen = tuple(one for one in plan.found if one.external_id in external_ids)
            if not chosen or len(chosen) != len(set(external_ids)):
                raise NotChosen("Choose at least one of the accounts that the consent is good for.", plan.found)
            app = NO_APP if plan.simulated else app_credentials(platform, self.settings)
            with pending.refusing(plan.wish):
                return self._connected(self._connecting(session, link, plan, app), chosen, plan)

    def _checked(self, wish: Wish) -> Wish:
        """The wish with the login filled in."""
        if wish.platform not in self.live:
            raise UnsupportedPlatform(f"Clipcast does not know the platform {wish.platform!r}.")
        logins = self.live[wish.platform].logins
        with self.db.reading() as session:
            check_main(session, wish.kind, wish.main_account_id)
            known = "" if wish.account_id is None else self._known_login(session, wish.platform, wish.account_id)
        login = wish.login or known or logins[0]
        if login not in logins:
            there_is = " or ".join(logins) if any(logins) else "none"
            raise InvalidRequest(f"{wish.platform} has no login {login!r}; there is {there_is}.")
        return replace(wish, login=login)

    def _known_login(self, session: Session, platform: str, account_id: str) -> str:
        """How the account that is to be connected again was connected, where that is known."""
        account = store.get(session, account_id)
        if account.platform != platform:
            raise PlatformMismatch(f"The account @{account.username} is on {account.platform}, not on {platform}.")
        try:
            return opened(account, self.vault).get("login")
        except CredentialError:
            return ""

    def _is_simulated(self, platform: str) -> bool:
        """Whether the simulator's page is asked: as everywhere, because it always is, or because our own app is not known."""
        if self.settings.simulation == "always":
            return True
        missing = _missing(platform, self.settings)
        if missing and self.settings.simulation == "off":
            variables = " and ".join(missing)
            raise AppNotSet(
                f"Set {variables}: without them the platform does not know who asks. CLIPCAST_SIMULATION=off forbids to simulate."
            )
        return bool(missing)

    def _check_reach(self, platform: str, redirect_uri: str) -> None:
        """Our own simulator's page is for browsers on this machine, which are sent back to loopback."""
        if self.settings.simulator_url or _loopback(urlsplit(redirect_uri).netloc):
            return
        if self.settings.simulation == "always":
            why, remedy = "CLIPCAST_SIMULATION=always has the simulator asked", "set CLIPCAST_SIMULATION=fallback"
        else:
            variables = " and ".join(_missing(platform, self.settings))
            why, remedy = f"Without {variables} the simulator is asked", f"set {variables}"
        raise SimulatorOutOfReach(
            f"{why}, and Clipcast's own answers only on the machine that Clipcast runs on, where your browser is not. To connect the "
            f"account, {remedy}; to rehearse it, set CLIPCAST_SIMULATOR_URL to a simulator that your browser reaches."
        )

    def _counterpart(self, wish: Wish, redirect_uri: str, *, simulated: bool) -> _Counterpart:
        if not simulated:
            return _Counterpart(self.live[wish.platform], app_credentials(wish.platform, self.settings))
        url = self.standin.simulator_url()
        desk = SimulatorDesk(url, wish.platform)
        app = desk.app(self.send(desk.app_request(wish.login, redirect_uri)))
        return _Counterpart(simulated_platforms(url)[wish.platform], app)

    def _driven(self, linking: Generator[Request, Answer, Sequence[Linkable]], secrets: Credentials) -> Sequence[Linkable]:
        """Carry the requests of a platform's `linking` out, one after the other. No error shows `secrets`, or a token that came."""
        answers: list[Answer] = []
        try:
            with discreet(secrets, answers):
                request = next(linking)
                while True:
                    answers.append(self.send(request))
                    request = linking.send(answers[-1])
        except StopIteration as end:
            found: Sequence[Linkable] = end.value
            return found
        finally:
            linking.close()

    def _connecting(self, session: Session, link: PendingLink, plan: Plan, app: Credentials) -> Connecting:
        await_identities(session)
        now = self.clock()
        if not _may_still(session, link, now):
            raise LinkRefused(_NOT_ANY_MORE)
        return Connecting(session, self.vault, plan.wish, app, link.actor_id, now, plan.simulated)

    def _connected(self, connecting: Connecting, found: Sequence[Linkable], plan: Plan) -> Outcome:
        accounts = tuple(connecting.connect(one) for one in found)
        for account in accounts:
            log.info("account.linked", account_id=account.id, platform=account.platform, simulated=plan.simulated)
        return Outcome(accounts, plan.simulated, plan.wish.return_to)


def _missing(platform: str, settings: Settings) -> list[str]:
    """The variables of our own app that are not set."""
    return [f"CLIPCAST_{platform}_{name}".upper() for name, value in app_credentials(platform, settings).values.items() if not value]


def _may_still(session: Session, link: PendingLink, now: datetime) -> bool:
    """The way back asks nobody who they are: what counts is what whoever began may do now, and not minutes ago."""
    return Permission.MANAGE in permissions_now(session, link.actor_id, now)


def _secrets(app: Credentials, consent: Consent, callback: Mapping[str, str]) -> Credentials:
    """What is sent to trade a consent for access; some platforms end their code with an empty fragment, which is not sent."""
    code = callback.get("code", "")
    begun = {"state": consent.state, "code_verifier": consent.verifier, "code": code, "code_without_fragment": code.partition("#")[0]}
    return Credentials({**app.values, **begun})


def _kept(one: Linkable) -> Linkable:
    """The account as it can be kept: its name as far as it fits. An id is kept whole or not at all, as it is who the account is.

    Raises:
        ConsentRefused: its id cannot be kept.
    """
    if fault := identity_fault(one.external_id):
        raise ConsentRefused(f"Clipcast cannot connect @{storable(one.username, LONGEST_USERNAME)}: its id at the platform {fault}.")
    return replace(one, username=storable(one.username, LONGEST_USERNAME))


def _meant(connecting: Connecting, found: Sequence[Linkable]) -> tuple[Linkable, ...]:
    """Those of what was found that may be chosen: the one that is to be connected again, or all."""
    if connecting.wish.account_id is None or len(found) == 1:
        return tuple(found)
    asked = store.get_for_update(connecting.session, connecting.wish.account_id)
    mine = [one for one in found if connecting.is_of(asked, one)]
    if not mine:
        raise connecting.wrong_account(asked, found)
    return tuple(mine[:1])


def redirect_uri(platform: str, public_url: str, host: str) -> str:
    """Where the platform sends the owner back to: at the server's public address, or at the loopback address it is reached at.

    Never anything that the request's query says; `host` is its `Host` header.

    Raises:
        NoAddress: there is no public address, and the server was not reached at loopback.

    >>> redirect_uri("tiktok", "", "127.0.0.1:8000")
    'http://127.0.0.1:8000/oauth/tiktok/callback'
    """
    base = public_url or _loopback(host)
    if not base:
        raise NoAddress(
            "The platform cannot send you back to this address. Set CLIPCAST_PUBLIC_URL to the address of this server (https://...) and "
            f"register <that address>/oauth/{platform}/callback at the platform, or open Clipcast at http://127.0.0.1."
        )
    return f"{base}/oauth/{platform}/callback"


def _loopback(host: str) -> str:
    """`http://host:port` when the host is this machine's own, put together from its parts; else nothing."""
    try:
        parts = urlsplit(f"//{host}")
        name, port = parts.hostname or "", parts.port
        is_own = name == _LOCALHOST or ip_address(name).is_loopback
    except ValueError:
        return ""
    if not is_own or "@" in host or parts.path:
        return ""
    shown = f"[{name}]" if ":" in name else name
    return f"http://{shown}:{port}" if port else f"http://{shown}"
