"""`clipcast accounts link`, `disconnect` and `delete`: connecting accounts from a terminal, and letting them go."""

from typing import TYPE_CHECKING, Annotated

import typer

from clipcast.cli.accounts import meant
from clipcast.cli.opening import opened
from clipcast.cli.output import Json, say, show_json, tell

if TYPE_CHECKING:
    from clipcast.accounts.linking import Outcome
    from clipcast.publications.leaving import Left
    from clipcast.system import Clipcast

AccountArgument = Annotated[str, typer.Argument(metavar="ID_OR_NAME", help="An account's id, its name, or PLATFORM:NAME.")]


def link(
    platform: Annotated[str, typer.Argument(help="tiktok, instagram or youtube.")],
    *,
    login: Annotated[str, typer.Option("--login", help="Instagram: instagram (default) or facebook.")] = "",
    account: Annotated[
        str | None, typer.Option("--account", metavar="ID_OR_NAME", help="The account to connect again; else whichever consents.")
    ] = None,
    main: Annotated[
        str | None, typer.Option("--main", metavar="ACCOUNT", help="A new account becomes a satellite of this one: its id or name.")
    ] = None,
    choose: Annotated[
        list[str] | None,
        typer.Option("--choose", metavar="USERNAME", help="Which, where the consent is good for several. Repeat for more."),
    ] = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Of the redirect URI on 127.0.0.1; 0: any that is free.")] = 0,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in a browser, or only print its address.")] = True,
    as_json: Json = False,
) -> None:
    """Connect an account by its owner's consent: opens the platform's page and waits up to five minutes for the way back.

    The platform sends the browser back to http://127.0.0.1:PORT/oauth/PLATFORM/callback, so the browser has to run on this machine. Where
    the platform wants redirect URIs to be registered with their port, fix it with --port.
    """
    from clipcast.accounts.linking import redirect_uri
    from clipcast.accounts.pending import Wish
    from clipcast.cli.loopback import Listener
    from clipcast.people.access import COMMAND_LINE
    from clipcast.people.tokens import new_token

    with opened() as clipcast, Listener(port, f"/oauth/{platform.lower()}/callback") as listener:
        account_id = meant(clipcast, account).id if account else None
        main_account_id = meant(clipcast, main).id if main else None
        wish = Wish(platform.lower(), login, account_id, "satellite" if main else "main", main_account_id)
        mark, uri = new_token(), redirect_uri(wish.platform, "", f"127.0.0.1:{listener.server_port}")
        _show_page(clipcast.linker.start(wish, redirect_uri=uri, browser=mark, actor=COMMAND_LINE), browser=browser)
        outcome = listener.wait(lambda callback: clipcast.linker.arrived(wish.platform, callback, mark))
        if outcome.choice_token:
            chosen = _chosen(outcome, choose, as_json=as_json)
            outcome = clipcast.linker.choose(wish.platform, outcome.choice_token, chosen, mark)
        _tell_linked(clipcast, outcome, as_json=as_json)


def disconnect(account: AccountArgument, as_json: Json = False) -> None:
    """Withdraw our access at the platform and remove the account's credentials; it stays, with its history, until it is connected again."""
    from clipcast.people.access import COMMAND_LINE
    from clipcast.publications import leaving

    with opened() as clipcast:
        left = leaving.disconnect(clipcast.disconnector, meant(clipcast, account).id, actor=COMMAND_LINE)
    _tell_left(left, "disconnected", as_json=as_json)


def delete(
    account: AccountArgument,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Disconnect an account and hide it. What it published stays in the publish log and in the ledger."""
    from clipcast.people.access import COMMAND_LINE
    from clipcast.publications import leaving

    with opened() as clipcast:
        row = meant(clipcast, account)
        if not yes:
            typer.confirm(f"Delete {row.platform} @{row.username}?", abort=True, err=True)
        left = leaving.delete(clipcast.disconnector, row.id, actor=COMMAND_LINE)
    _tell_left(left, "deleted", as_json=as_json)


def _show_page(url: str, *, browser: bool) -> None:
    tell(f"Open this page in a browser on this machine and consent:\n\n  {url}\n")
    if browser:
        _open(url)


def _open(url: str) -> None:
    """Open the page where there is a screen; a text browser would start in this very terminal, so those are left alone."""
    import webbrowser

    try:
        found = webbrowser.get()
    except webbrowser.Error:
        return
    if type(found) is not webbrowser.GenericBrowser:
        found.open(url)


def _chosen(outcome: "Outcome", wanted: list[str] | None, *, as_json: bool) -> list[str]:
    """The ids of those that are named, or that a person picks."""
    import sys

    names = {one.username: one.external_id for one in outcome.choices}
    listed = ", ".join(f"@{name}" for name in names)
    if wanted is None and (as_json or not sys.stdin.isatty()):
        raise typer.BadParameter(f"The consent is good for {listed}; say which with --choose, once or more.")
    if wanted is None:
        wanted = typer.prompt(f"The consent is good for {listed}. Which, separated by commas?", err=True).split(",")
    names_wanted = [name.strip().removeprefix("@") for name in wanted]
    if unknown := [name for name in names_wanted if name not in names]:
        raise typer.BadParameter(f"@{unknown[0]} is not among {listed}.", param_hint="--choose")
    return [names[name] for name in names_wanted]


def _tell_linked(clipcast: "Clipcast", outcome: "Outcome", *, as_json: bool) -> None:
    if as_json:
        from clipcast.accounts.linking_routes import linked

        show_json(linked(clipcast.linker, outcome).model_dump(mode="json"))
        return
    where = "publishes to the simulator" if outcome.simulated else "connected"
    for account in outcome.accounts:
        say(f"{account.id}  {account.platform} @{account.username}: {where}.")


def _tell_left(left: "Left", what: str, *, as_json: bool) -> None:
    if as_json:
        from clipcast.publications.leaving_routes import LeftOut

        show_json(LeftOut.of(left).model_dump(mode="json"))
        return
    revoked = ", and the platform withdrew our access" if left.revoked else ""
    say(f"{left.account.id}  {left.account.platform} @{left.account.username}: {what}{revoked}.")
    if left.sentence:
        tell(left.sentence)
    if left.scheduled:
        tell(f"{left.scheduled} scheduled posts wait still: they fail on their hour, unless the account is connected again before.")
