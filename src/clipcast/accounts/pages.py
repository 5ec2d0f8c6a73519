"""What a person reads on the way to a platform and back: small pages, made here, that load nothing and run nothing."""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from html import escape
from importlib.resources import files
from string import Template
from typing import Final, Literal, TypeAlias
from urllib.parse import urlencode

from starlette.responses import HTMLResponse

from clipcast.accounts.models import SocialAccount
from clipcast.accounts.pending import Wish
from clipcast.platforms.consent import Linkable

PLATFORMS: Final = {"tiktok": "TikTok", "instagram": "Instagram", "youtube": "YouTube"}
_OWN_STYLE: Final = """
label.choice { display: flex; gap: 0.6rem; align-items: center; font-weight: 400; }
label.choice input { width: auto; min-height: 0; }
"""
_LINK: Final = '<link rel="stylesheet" href="/style.css">'
_HOME: Final = ("Go on to Clipcast", "/")
_ACCOUNTS: Final = ("See your accounts", "/accounts")
_USUAL: Final = {"login": "", "account_id": None, "kind": "main", "main_account_id": None, "return_to": ""}
"""What goes without saying in a wish."""
Referrer: TypeAlias = Literal["no-referrer", "same-origin"]


def connected(accounts: Sequence[SocialAccount]) -> HTMLResponse:
    """What is connected now. An account without credentials of its own was connected at the simulator."""
    if not accounts:
        return page(200, "This was a while ago", "What was connected here is not connected any more.", onward=_ACCOUNTS)
    names = _listed([f"@{account.username}" for account in accounts])
    platform, are = PLATFORMS[accounts[0].platform], "is" if len(accounts) == 1 else "are"
    if any(account.credentials is not None for account in accounts):
        return page(200, f"{names} {are} connected", f"Clipcast may now publish to {platform} as {names}.", onward=_HOME)
    sentence = f"This was a rehearsal: {names} {are} known here now, and posts go to the simulator, not to {platform}."
    return page(200, "Connected with the simulator", sentence, onward=_HOME)


def closing(title: str, sentence: str, status: int = 200) -> HTMLResponse:
    """The end of a consent that a terminal began."""
    return page(status, title, sentence, note="You can close this window.")


def refused(status: int, sentence: str, wish: Wish | None) -> HTMLResponse:
    """Why nothing was connected. The link begins what was wished for; without a wish there is none, as it would begin something else."""
    return page(status, "Nothing was connected", sentence, onward=("Begin anew", beginning(wish)) if wish else _HOME)


def used(status: int, sentence: str) -> HTMLResponse:
    """What came of this consent was told before."""
    return page(status, "This was done already", sentence, onward=_ACCOUNTS)


def beginning(wish: Wish) -> str:
    """The path that begins a consent for exactly this.

    >>> beginning(Wish("instagram", "facebook", kind="satellite", return_to="/app?a=b"))
    '/oauth/instagram/start?login=facebook&kind=satellite&return_to=%2Fapp%3Fa%3Db'
    """
    said = {name: getattr(wish, name) for name, usual in _USUAL.items() if getattr(wish, name) != usual}
    return f"/oauth/{wish.platform}/start" + (f"?{urlencode(said)}" if said else "")


def choice(platform: str, found: Sequence[Linkable], token: str, *, status: int = 200, trouble: str = "") -> HTMLResponse:
    """The accounts that the consent is good for, to tick those that Clipcast is to publish to; `trouble` is what was wrong before."""
    boxes = "\n".join(
        f'<label class="choice"><input type="checkbox" name="account" value="{escape(one.external_id)}"> @{escape(one.username)}</label>'
        for one in found
    )
    told = f'<p class="trouble" role="alert">{escape(trouble)}</p>\n' if trouble else ""
    form = (
        f'{told}<form method="post" action="/oauth/{escape(platform)}/choice">\n<input type="hidden" name="link" value="{escape(token)}">\n'
        f"{boxes}\n<p><button>Connect</button></p>\n</form>"
    )
    # With no-referrer browsers would send `Origin: null` along with the form, and the choice could not be told from a stranger's.
    sentence = f"Your consent is good for {len(found)} accounts. Which of them should Clipcast publish to?"
    return page(status, f"Choose {PLATFORMS[platform]} accounts", sentence, form=form, referrer="same-origin")


def page(
    status: int,
    title: str,
    sentence: str,
    *,
    note: str = "",
    form: str = "",
    onward: tuple[str, str] | None = None,
    referrer: Referrer = "no-referrer",
) -> HTMLResponse:
    """A page of one sentence. Everything but `form` is text and is escaped here; `onward` is a link's words and its path on this server."""
    body = f"<h1>{escape(title)}</h1>\n<p>{escape(sentence)}</p>\n{form}" + (f'<p class="hint">{escape(note)}</p>' if note else "")
    body += f'<p><a href="{escape(onward[1])}">{escape(onward[0])}</a></p>' if onward else ""
    layout, style_hash = _layout()
    policy = (
        f"default-src 'none'; style-src 'sha256-{style_hash}'; img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": policy,
        "Referrer-Policy": referrer,
        "X-Content-Type-Options": "nosniff",
    }
    return HTMLResponse(layout.substitute(title=escape(title), content=body), status, headers)


@cache
def _layout() -> tuple[Template, str]:
    """The layout of all pages with its style inside, which a terminal's listener cannot serve apart, and the style's hash."""
    html = files("clipcast.people") / "html"
    style = (html / "style.css").read_text(encoding="utf-8") + _OWN_STYLE
    layout = (html / "layout.html").read_text(encoding="utf-8").replace(_LINK, f"<style>{style.replace('$', '$$')}</style>")
    return Template(layout), base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


def _listed(names: Sequence[str]) -> str:
    """Names as in a sentence.

    >>> _listed(["@a", "@b", "@c"])
    '@a, @b and @c'
    """
    return " and ".join([part for part in (", ".join(names[:-1]), names[-1]) if part])
