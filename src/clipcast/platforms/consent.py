"""The consent of an account's owner: what is asked on the platform's own page, and what comes back.

A platform's `consent_url` is where the owner's browser goes. The platform sends it back to `redirect_uri` with parameters (the callback),
and `linking` trades those for accounts. Nothing here performs I/O or knows who keeps `state` and the verifier.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urlencode

from clipcast.errors import ClipcastError, ConfigurationError, InvalidRequest, PlatformError, Throttled, TokenExpired, Unavailable
from clipcast.platforms.credentials import Credentials


class ConsentRefused(InvalidRequest):
    """The owner said no, left a permission out, or the account cannot be used; the sentence says what to do."""

    code = "consent_refused"


@dataclass(frozen=True, slots=True)
class Consent:
    """What is asked of the account's owner. `verifier` is PKCE's: 43 to 128 of `A-Z a-z 0-9 - . _ ~` (RFC 7636).

    `login` is one of the platform's `logins`. The callback's `state` is compared with this one before `linking` is asked.
    """

    redirect_uri: str
    state: str = field(repr=False)
    verifier: str = field(repr=False)
    login: str = ""


@dataclass(frozen=True, slots=True)
class Linkable:
    """An account that the consent is good for.

    `external_id` is the platform's lasting id, `username` what people see, without "@" (it may change). `credentials` are the account's
    own, without the app's id and secret.
    """

    external_id: str
    username: str
    credentials: Credentials


@dataclass(frozen=True, slots=True)
class App:
    """A platform as consents speak of it: its `name` in variables, its `title` for people, and what of an app has to be set."""

    name: str
    title: str
    settings: tuple[str, str]

    @property
    def variables(self) -> str:
        """The variables that hold the app's id and secret.

        >>> App("tiktok", "TikTok", ("client_key", "client_secret")).variables
        'CLIPCAST_TIKTOK_CLIENT_KEY and CLIPCAST_TIKTOK_CLIENT_SECRET'
        """
        return " and ".join(f"CLIPCAST_{self.name}_{setting}".upper() for setting in self.settings)

    def check(self, app: Credentials) -> None:
        """Nothing, when the app's id and secret are set.

        Raises:
            ConfigurationError: they are not.
        """
        if not all(app.get(setting) for setting in self.settings):
            raise ConfigurationError(f"To connect {self.title} accounts, set {self.variables} to what {self.title} gave your app.")

    def not_accepted(self) -> ConfigurationError:
        """The error for an app that the platform does not know, or whose secret is another one."""
        return ConfigurationError(f"{self.title} does not accept the app's id or secret; check {self.variables}.")

    def redirect_not_accepted(self, consent: Consent) -> ConfigurationError:
        """The error for a redirect address that the app did not register."""
        return ConfigurationError(
            f"{self.title} does not accept where it was to send people back to. Register {consent.redirect_uri} with the app, exactly so, "
            f"and check {self.variables}."
        )

    def scopes_not_accepted(self) -> ConfigurationError:
        """The error for an app that may not ask for what we need."""
        return ConfigurationError(
            f"The app may not ask {self.title} for all permissions that Clipcast needs; add them to the app in {self.title}'s developer "
            "portal, and have them approved."
        )

    def denied(self) -> ConsentRefused:
        """The error for an owner who said no."""
        return ConsentRefused(
            f"{self.title} was not allowed to connect this account. If that was a mistake, connect it again and allow it."
        )

    def spent(self) -> ConsentRefused:
        """The error for a code that was used already, or has run out."""
        return ConsentRefused(f"This consent was used already or has run out; connect the {self.title} account again.")

    def trouble(self, error: PlatformError) -> PlatformError:
        """The same error, in the words of somebody who connects an account and not of one who publishes."""
        match error:
            case Throttled():
                error.sentence = f"{self.title} takes no more requests for now; connect the account again later."
            case Unavailable() | TokenExpired():
                error.sentence = f"{self.title} has trouble right now; connect the account again in a few minutes."
        return error


#: https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1 and #section-5.2, and what Meta and Google list besides.
_DENIED: Final = frozenset({"access_denied", "user_denied", "interaction_required", "consent_required", "login_required"})
_PASSING: Final = frozenset({"server_error", "temporarily_unavailable"})
_APPS: Final = frozenset({"invalid_client", "unauthorized_client", "deleted_client", "disabled_client"})
_WORD: Final = re.compile(r"[A-Za-z0-9_.-]{1,60}")


def code_of(callback: Mapping[str, str], app: App, consent: Consent) -> str:
    """The authorization code that the platform sent the browser back with.

    Raises:
        ConsentRefused, ConfigurationError, Unavailable: it sent an error instead; nothing of its text is repeated but a plain word.
    """
    error = callback.get("error") or callback.get("error_code") or callback.get("error_reason") or ""
    if error:
        said = f" ({error})" if _WORD.fullmatch(error) else ""
        unknown = ConsentRefused(f"{app.title} did not let this account be connected{said}; connect it again.")
        raise known_refusal(error, app, consent) or unknown
    if not callback.get("code"):
        raise ConsentRefused(f"{app.title} sent nothing along that says what was decided; connect the account again.")
    return callback["code"]


def known_refusal(code: str, app: App, consent: Consent) -> ClipcastError | None:
    """What one of OAuth's own error codes means for somebody who connects an account; None for any other."""
    table: dict[str, ClipcastError] = {
        **dict.fromkeys(_DENIED, app.denied()),
        **dict.fromkeys(_PASSING, app.trouble(Unavailable("", app.name, platform_code=code))),
        **dict.fromkeys(_APPS, app.not_accepted()),
        "invalid_grant": app.spent(),
        "invalid_scope": app.scopes_not_accepted(),
        "redirect_uri_mismatch": app.redirect_not_accepted(consent),
    }
    return table.get(code)


def check_allowed(needed: Mapping[str, str], granted: Collection[str], app: App) -> None:
    """Nothing, when all that is `needed` was allowed; its values say in a person's words what each permission is for.

    Raises:
        ConsentRefused: something was left out.
    """
    if left_out := [words for scope, words in needed.items() if scope not in granted]:
        raise ConsentRefused(
            f"{app.title} says that Clipcast was not allowed to {_listed(left_out)}. "
            "Connect the account again, and leave everything ticked that is asked for."
        )


def missing(needed: Iterable[str], credentials: Credentials) -> list[str]:
    """Which of the needed scopes the owner did not allow; none where it is not known what was.

    >>> missing(("video.publish", "video.upload"), Credentials({"scope": "video.publish"}))
    ['video.upload']
    """
    granted = credentials.scopes
    return [scope for scope in needed if scope not in granted] if granted else []


def page(url: str, query: Mapping[str, str]) -> str:
    """An address with these parameters."""
    return f"{url}?{urlencode(query, quote_via=quote, safe=',')}" if query else url


def text(value: object) -> str:
    """A text or a whole number out of an answer, as text; anything else is as good as nothing.

    >>> text(17841400000000000), text(" x "), text(True), text(["x"])
    ('17841400000000000', 'x', '', '')
    """
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _listed(words: list[str]) -> str:
    """Phrases as a person lists them.

    >>> _listed(["post videos", "list your videos", "see your name"])
    'post videos, list your videos and see your name'
    """
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
