"""`clipcast accounts`: the social accounts of this installation. Credentials never stand on a command line, where every user sees them."""

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from clipcast.cli.opening import opened
from clipcast.cli.output import Json, say, show_json, show_table, tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipcast.accounts.models import SocialAccount
    from clipcast.accounts.schemas import AccountIn, AccountOut
    from clipcast.system import Clipcast

nouns = typer.Typer(name="accounts", help="List and add social accounts.", invoke_without_command=True, rich_markup_mode=None)


class AccountStatus(StrEnum):
    """Whether an account may publish; why not, its last error says."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"
    DISABLED = "disabled"


OfStatus: TypeAlias = Annotated[AccountStatus | None, typer.Option("--status", help="Only those of this status.")]


@nouns.callback()
def accounts(ctx: typer.Context, status: OfStatus = None, as_json: Json = False) -> None:
    """List and add social accounts; without a command: list."""
    if ctx.invoked_subcommand is None:
        list_accounts(status=status, as_json=as_json)


@nouns.command("list")
def list_accounts(status: OfStatus = None, as_json: Json = False) -> None:
    """List the accounts, whether each publishes live, to the simulator or not at all, and why."""
    from clipcast.accounts import routes

    with opened() as clipcast:
        found = routes.list_accounts(_services(clipcast), status=status.value if status else None)
    if as_json:
        show_json({"accounts": [account.model_dump(mode="json") for account in found]})
        return
    rows = [(one.id, one.platform, f"@{one.username}", one.kind, one.status, _provider(one), one.expires_at) for one in found]
    columns = ("ID", "PLATFORM", "USERNAME", "KIND", "STATUS", "PUBLISHES", "TOKEN UNTIL")
    empty = "There are no accounts yet. Add one: clipcast accounts add tiktok USERNAME"
    show_table(columns, rows, empty=f"No account is {status}." if status else empty)
    tell_troubles(found)


def tell_troubles(found: "Sequence[AccountOut]") -> None:
    """What is wrong with these accounts: why one has lost its connection, or what goes wrong although it works."""
    for one in found:
        if trouble := one.warning or (one.last_error if one.status in {"expired", "revoked"} else None):
            tell(f"{one.platform} @{one.username}: {trouble}")


@nouns.command("add")
def add_account(
    platform: Annotated[str, typer.Argument(help="tiktok, instagram or youtube.")],
    username: Annotated[str, typer.Argument(help="The account's name, with or without @.")],
    *,
    kind: Annotated[str, typer.Option("--kind", help="main (the platform's default) or satellite; default: main, unless --main.")] = "",
    main: Annotated[
        str | None, typer.Option("--main", metavar="ACCOUNT", help="The main account that this satellite follows: its id or name.")
    ] = None,
    credentials: Annotated[
        str | None,
        typer.Option("--credentials", metavar="FILE", help="A JSON file with the credentials; - reads standard input."),
    ] = None,
    ask: Annotated[bool, typer.Option("--ask", help="Ask for each credential; no secret is echoed.")] = False,
    as_json: Json = False,
) -> None:
    """Add an account. Without credentials it publishes to the simulator.

    The file holds {"access_token": "...", "refresh_token": "...", "expires_at": "2026-05-01T09:00:00Z", ...}, named as in the platform's
    documentation; its own token answer will do as it is, with expires_in counted from now. --ask knows which ones the platform needs.
    """
    from clipcast.accounts import routes
    from clipcast.people.access import COMMAND_LINE

    with opened() as clipcast:
        main_account_id = meant(clipcast, main).id if main else None
        given = _asked(clipcast, platform) if ask else _read(credentials)
        wanted = {"platform": platform, "username": username, "kind": kind or ("satellite" if main else "main")}
        account = _account(wanted | {"main_account_id": main_account_id, "credentials": given})
        added = routes.add(account, _services(clipcast), COMMAND_LINE)
    if as_json:
        show_json(added.model_dump(mode="json"))
    else:
        say(f"{added.id}  {added.platform} @{added.username}: publishes {_provider(added)}.")


@nouns.command("quota")
def show_quota(
    account: Annotated[str, typer.Argument(metavar="ID_OR_NAME", help="An account's id, its name, or PLATFORM:NAME.")],
    as_json: Json = False,
) -> None:
    """Show what is used and left of every limit that the platform documents, and when there is room again.

    The platform's own numbers are asked for where it tells them; the others are our own count of what we sent.
    """
    from clipcast.publications import quota
    from clipcast.publications.schemas import QuotaOut

    with opened() as clipcast:
        found = quota.quota_of(clipcast.db, clipcast.connections, meant(clipcast, account).id, clipcast.clock())
    if as_json:
        show_json(QuotaOut.model_validate(found).model_dump(mode="json"))
        return
    rows = [(one.name, one.per, _window(one.window_s), one.used, one.left, one.free_at, one.source) for one in found.limits]
    show_table(("LIMIT", "PER", "IN", "USED", "LEFT", "FREE AT", "COUNTED BY"), rows, empty="This platform documents no limits.")
    if found.not_asked:
        tell(f"The platform's own numbers are missing: {found.not_asked}")
    if found.simulated:
        tell("This account publishes to the simulator; these are its numbers.")


def _window(window_s: float) -> str:
    """How long a limit's window is, in the largest unit that fits it."""
    hours = window_s / 3600
    return f"{hours:g} h" if hours >= 1 else f"{window_s / 60:g} min" if window_s >= 60 else f"{window_s:g} s"


def meant(clipcast: "Clipcast", text: str) -> "SocialAccount":
    """The account of that id, that name, or that name on that platform.

    Raises:
        NotFound: there is none.
    """
    from clipcast.accounts import store
    from clipcast.errors import NotFound

    platform, _, username = text.rpartition(":")
    with clipcast.db.reading() as session:
        known = store.listed(session, platform=platform.lower() or None)
    name = username.removeprefix("@")
    alike = [one for one in known if store.is_same_name(one.username, name)]
    found = [one for one in known if text == one.id] or [one for one in alike if one.username == name] or alike
    if not found:
        raise NotFound(f"There is no account {text!r}. List them: clipcast accounts.")
    if len(found) > 1:
        names = ", ".join(f"{one.platform}:{one.username}" for one in found)
        raise typer.BadParameter(f"{text!r} may be any of {names}; say which.")
    return found[0]


def _services(clipcast: "Clipcast") -> Any:
    """The installation as the routes ask for it: with attributes that could be set, where ours are frozen."""
    return clipcast


def _provider(account: "AccountOut") -> str:
    if account.status != "active":
        return f"not ({account.status})"
    if account.live:
        return "live"
    missing = f", lacks {' and '.join(account.missing_credentials)}" if account.missing_credentials else ""
    return f"to the simulator ({account.fallback_reason or 'CLIPCAST_SIMULATION=always'}{missing})"


def _account(wanted: dict[str, Any]) -> "AccountIn":
    from pydantic import ValidationError

    from clipcast.accounts.schemas import AccountIn

    try:
        return AccountIn.model_validate(wanted)
    except ValidationError as error:
        problem = error.errors()[0]  # never its input: that may be a token
        raise typer.BadParameter(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}") from None


def _read(source: str | None) -> dict[str, Any]:
    import json
    from pathlib import Path

    if source is None:
        return {}
    try:
        content = json.loads(sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise typer.BadParameter(f"{source} cannot be read: {reason}.", param_hint="--credentials") from error
    except ValueError:
        raise typer.BadParameter(f"{source} does not hold JSON.", param_hint="--credentials") from None
    if not isinstance(content, dict):
        raise typer.BadParameter(f"{source} does not hold a JSON object.", param_hint="--credentials")
    return content


def _asked(clipcast: "Clipcast", platform: str) -> dict[str, Any]:
    """Each credential that the platform's API needs, and what it takes to renew it, as the person types them; empty ones are left out.

    That is the refresh token; where there is none, because the access token itself is traded in, it is when that one ends.
    """
    from clipcast.platforms.base import Credentials

    protocol = clipcast.platforms.get(platform)
    names = protocol.missing_credentials(Credentials({})) if protocol else ["access_token"]
    is_traded_in = protocol is not None and protocol.renews_by == "access_token"
    answers = {name: _typed(name, hidden=True) for name in (names if is_traded_in else [*names, "refresh_token"])}
    if is_traded_in:
        answers["expires_at"] = _typed("expires_at (such as 2026-05-01T09:00:00Z; empty if you do not know)", hidden=False)
    return {name: answer for name, answer in answers.items() if answer}


def _typed(question: str, *, hidden: bool) -> str:
    answer: str = typer.prompt(question, default="", hide_input=hidden, show_default=False, err=True)
    return answer
