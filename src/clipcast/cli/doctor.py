"""`clipcast doctor`: looks at everything that publishing rests on, and says what to do about it."""

import typer

from clipcast.cli.output import Json, say, show_json


def doctor(as_json: Json = False) -> None:
    """Check database, storage, keys, clock, simulator and settings; exit code 1 if something needs you. Changes nothing."""
    from io import StringIO

    from clipcast import log
    from clipcast.cli.checks import all_checks
    from clipcast.settings import load_settings

    settings = load_settings()
    log.configure(settings, StringIO())  # What is found is said below; a line of the log beside it would say it again, or spoil the JSON.
    found = all_checks(settings)
    problems = sum(check.level == "problem" for check in found)
    if as_json:
        show_json({"well": not problems, "checks": found})
    else:
        for check in found:
            say(f"{check.level:8} {check.name}: {check.sentence}{' ' + check.advice if check.advice else ''}")
        say(f"{problems} of {len(found)} need you." if problems else "All is well.")
    if problems:
        raise typer.Exit(1)
