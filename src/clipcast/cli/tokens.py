"""`clipcast tokens`: when each account's token ends, and new ones by hand."""

from typing import TYPE_CHECKING, Annotated

import typer

from clipcast.cli.accounts import tell_troubles
from clipcast.cli.opening import opened
from clipcast.cli.output import Json, moment, say, show_json, show_table, tell

if TYPE_CHECKING:
    from clipcast.accounts.outcomes import Report

nouns = typer.Typer(name="tokens", help="Show and refresh the tokens of the accounts.", no_args_is_help=True, rich_markup_mode=None)


@nouns.command("refresh")
def refresh_tokens(
    *,
    account_id: Annotated[
        str | None, typer.Option("--account-id", metavar="ID", help="Only this account, even if its token is good for long yet.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done; send and change nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Refresh every token that ends soon, as the worker does every half hour; or that of one account.

    Also those that the worker leaves alone for a while, because their last try failed.

    Exit code 1 says that the owner of an account has to do something: connect it again.
    """
    from clipcast.accounts.outcomes import Report

    with opened() as clipcast:
        if account_id is None:
            report = clipcast.upkeep.refresh_expiring(dry_run=dry_run, paused_too=True)
        else:
            report = Report((clipcast.upkeep.refresh_one(account_id, dry_run=dry_run),), dry_run=dry_run)
    if as_json:
        show_json({"outcomes": report.outcomes, "left_alone": report.left_alone, "dry_run": dry_run})
    else:
        _show(report)
    if report.needs_owner:
        raise typer.Exit(1)


@nouns.command("status")
def show_status(as_json: Json = False) -> None:
    """Show when each token ends, whether it is renewed by itself, and when the connection ends if nobody acts."""
    from typing import Any, cast

    from clipcast.accounts import routes

    with opened() as clipcast:
        found = [one for one in routes.list_accounts(cast("Any", clipcast)) if one.live or one.expires_at or one.status == "expired"]
    if as_json:
        show_json({"accounts": [account.model_dump(mode="json") for account in found]})
        return
    rows = [
        (one.id, one.platform, f"@{one.username}", one.status, one.expires_at, "yes" if one.renewable else "no", one.connection_ends_at)
        for one in found
    ]
    columns = ("ID", "PLATFORM", "USERNAME", "STATUS", "TOKEN UNTIL", "RENEWED BY ITSELF", "CONNECTED UNTIL")
    show_table(columns, rows, empty="No account is connected to its platform: there are no tokens.")
    tell_troubles(found)


def _show(report: "Report") -> None:
    columns = ("ID", "PLATFORM", "USERNAME", "RESULT", "TOKEN UNTIL", "NEXT TRY", "WHAT HAPPENED")
    rows = [
        (one.account_id, one.platform, f"@{one.username}", one.result, one.expires_at, one.again_at, one.sentence)
        for one in report.outcomes
    ]
    show_table(columns, rows, empty="No token ends soon.")
    if report.dry_run:
        say("A dry run: nothing was sent or changed.")
    for platform in report.left_alone:
        again = f" They are tried again from {moment(report.again_at)} on." if report.again_at else ""
        tell(f"{platform} has trouble, so that its other accounts were left alone for now.{again}")
