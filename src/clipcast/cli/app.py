"""All commands together."""

from typing import Annotated

import typer

from clipcast.cli import (
    accounts,
    apikeys,
    clips,
    database,
    doctor,
    editing,
    keys,
    ledger,
    linking,
    logs,
    people,
    posts,
    preflight,
    publish,
    recurrences,
    schedule,
    serve,
    simulator,
    tables,
    tokens,
    worker,
)
from clipcast.cli.trouble import Guarded

accounts.nouns.command("link")(linking.link)
accounts.nouns.command("disconnect")(linking.disconnect)
accounts.nouns.command("delete")(linking.delete)
schedule.nouns.command("recur")(recurrences.recur)
schedule.nouns.command("recurring")(recurrences.recurring_posts)
schedule.nouns.command("move")(recurrences.move)
schedule.nouns.command("skip")(recurrences.skip)
schedule.nouns.command("cancel")(recurrences.cancel)
schedule.nouns.command("import")(tables.import_table)
posts.nouns.command("edit")(editing.edit)

app = typer.Typer(
    name="clipcast",
    cls=Guarded,
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Settings are CLIPCAST_* variables. Exit codes: 0 done, 1 refused or failed, 2 wrong use.",
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"clipcast {version('clipcast')}")
        raise typer.Exit


@app.callback()
def clipcast(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.", callback=_tell_version, is_eager=True)] = False,
) -> None:
    """Publish short videos and photo sets to TikTok, Instagram and YouTube: never twice, never lost, never silent."""
    del version


app.command(short_help="Serve the HTTP interface, with a worker.")(serve.serve)
app.command(short_help="Carry out what is due, without a server.")(worker.worker)
app.command(short_help="Serve the platforms' protocols to try with.")(simulator.simulator)
app.command(short_help="Publish files, without any server.")(publish.publish)
app.command(short_help="Check a post against every rule.")(preflight.preflight)
app.add_typer(clips.nouns, short_help="List, add and show videos and images.")
app.add_typer(accounts.nouns, short_help="List, connect, add and delete social accounts.")
app.add_typer(tokens.nouns, short_help="Show and refresh the accounts' tokens.")
app.add_typer(people.nouns, short_help="List, invite and delete people.")
app.add_typer(apikeys.nouns, short_help="Make, list and revoke API keys.")
app.add_typer(posts.nouns, short_help="List publications; cancel, retry, decide.")
app.add_typer(schedule.nouns, short_help="What goes out when; slots, tables, calendars.")
app.command(short_help="Show every publication of a clip.")(logs.logs)
app.add_typer(ledger.nouns, short_help="List what happened, and verify it.")
app.add_typer(keys.nouns, short_help="List and rotate the keys that encrypt credentials.")
app.add_typer(database.nouns, short_help="Migrate the database.")
app.command(short_help="Check this installation.")(doctor.doctor)


def main() -> None:
    """The `clipcast` program."""
    app(prog_name="clipcast")
