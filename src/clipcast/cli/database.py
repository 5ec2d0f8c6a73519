"""`clipcast db`: the database's shape."""

import typer

from clipcast.cli.output import Json, say, show_json

nouns = typer.Typer(name="db", help="Migrate the database.", no_args_is_help=True, rich_markup_mode=None)


@nouns.callback()
def db() -> None:
    """Migrate the database."""


@nouns.command()
def upgrade(as_json: Json = False) -> None:
    """Bring the database to the shape that this version expects. Safe to repeat, and safe when several machines do it at once."""
    from contextlib import closing

    from clipcast.cli.opening import log_in_file, make_data_dir
    from clipcast.db import migrate
    from clipcast.db.engine import Database
    from clipcast.settings import load_settings

    settings = load_settings()
    make_data_dir(settings)
    with log_in_file(settings), closing(Database(settings.database)) as database:
        before = migrate.current(database)
        migrate.upgrade(database)
    if as_json:
        show_json({"before": before, "now": migrate.head(), "changed": before != migrate.head()})
    elif before == migrate.head():
        say(f"The database is up to date (revision {before}).")
    else:
        say(f"The database was migrated from {before or 'empty'} to revision {migrate.head()}.")
