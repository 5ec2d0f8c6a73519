"""`clipcast accounts`: the social accounts of this installation. Credentials never stand on a command line, where every user sees them."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clipcast.cli.opening import opened
from clipcast.cli.output import Json, say, show_json, show_table

if TYPE_CHECKING:
    from clipcast.accounts.schemas import AccountIn, AccountOut
    from clipcast.system import Clipcast

nouns = typer.Typer(name="accounts", help="List and add social accounts.", invoke_without_command=True, rich_markup_mode=None)


@nouns.callback()
def accounts(ctx: typer.Context, as_json: Json = False) -> None:
    """List and add social accounts; without a command: list."""
    if ctx.invoked_subcommand is None:
        list_accounts(as_json=as_json)


@nouns.command("list")
def list_accounts(as_json: Json = False) -> None:
    """List the accounts, and whether each publishes live or to the simulator."""
    from clipcast.accounts import routes

    with opened() as clipcast:
        found = routes.list_accounts(_services(clipcast))
    if as_json:
        show_json({"accounts": [account.model_dump(mode="json") for account in found]})
        return
    rows = [(one.id, one.platform, f"@{one.username}", one.kind, one.status, _provider(one), one.expires_at) for one in found]
    columns = ("ID", "PLATFORM", "USERNAME", "KIND", "STATUS", "PUBLISHES", "TOKEN UNTIL")
    show_table(columns, rows, empty="There are no accounts yet. Add one: clipcast accounts add tiktok USERNAME")


@nouns.command("add")
def add_account(
    platform: Annotated[str, typer.Argument(help="tiktok, instagram or youtube.")],
    username: Annotated[str, typer.Argument(help="The account's name, with or without @.")],
    *,
    kind: Annotated[str, typer.Option("--kind", help="main (the platform's default) or satellite.")] = "main",
    credentials: Annotated[
        str | None,
        typer.Option("--credentials", metavar="FILE", help="A JSON file with the credentials; - reads standard input."),
    ] = None,
    ask: Annotated[bool, typer.Option("--ask", help="Ask for each credential; nothing is echoed.")] = False,
    as_json: Json = False,
) -> None:
    """Add an account. Without credentials it publishes to the simulator.

    The file holds {"access_token": "...", "refresh_token": "...", "expires_at": "2026-05-01T09:00:00Z", ...}, named as in the platform's
    documentation.
    """
    from clipcast.accounts import routes

    with opened() as clipcast:
        given = _asked(clipcast, platform) if ask else _read(credentials)
        added = routes.create_account(_account(platform, username, kind, given), _services(clipcast))
    if as_json:
        show_json(added.model_dump(mode="json"))
    else:
        say(f"{added.id}  {added.platform} @{added.username}: publishes {_provider(added)}.")


def _services(clipcast: "Clipcast") -> Any:
    """The installation as the routes ask for it: with attributes that could be set, where ours are frozen."""
    return clipcast


def _provider(account: "AccountOut") -> str:
    if account.live:
        return "live"
    missing = f", lacks {' and '.join(account.missing_credentials)}" if account.missing_credentials else ""
    return f"to the simulator ({account.fallback_reason or 'CLIPCAST_SIMULATION=always'}{missing})"


def _account(platform: str, username: str, kind: str, credentials: dict[str, Any]) -> "AccountIn":
    from pydantic import ValidationError

    from clipcast.accounts.schemas import AccountIn

    try:
        return AccountIn.model_validate({"platform": platform, "username": username, "kind": kind, "credentials": credentials})
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
    """Each credential that the platform's API needs, and the refresh token, as the person types them; what is left empty is left out."""
    from clipcast.platforms.base import Credentials

    protocol = clipcast.platforms.get(platform)
    names = [*protocol.missing_credentials(Credentials({})), "refresh_token"] if protocol else ["access_token", "refresh_token"]
    answers = {name: typer.prompt(name, default="", hide_input=True, show_default=False, err=True) for name in names}
    return {name: answer for name, answer in answers.items() if answer}
