"""`clipcast keys`: the keys that encrypt credentials. Only their ids are ever shown."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from clipcast.cli.opening import opened
from clipcast.cli.output import Json, say, show_json, show_table, tell

if TYPE_CHECKING:
    from clipcast.accounts.rotation import Key, Rotation

nouns = typer.Typer(
    name="keys", help="List and rotate the keys that encrypt credentials.", invoke_without_command=True, rich_markup_mode=None
)


@nouns.callback()
def keys(ctx: typer.Context, as_json: Json = False) -> None:
    """List and rotate the keys that encrypt credentials; without a command: list."""
    if ctx.invoked_subcommand is None:
        list_keys(as_json=as_json)


@nouns.command("list")
def list_keys(as_json: Json = False) -> None:
    """List the keys by their ids, and how many rows each encrypts."""
    from clipcast.accounts.rotation import keys_in_use

    with opened() as clipcast:
        source = _source(clipcast.settings.credential_keys.get_secret_value())
        found = keys_in_use(clipcast.db, clipcast.vault)
    if as_json:
        show_json({"source": source, "keys": found})
        return
    rows = [(key.id, key.rows, _standing(key, found, source)) for key in found]
    show_table(("KEY", "ROWS", "STANDING"), rows, empty="There are no keys.")


@nouns.command()
def rotate(as_json: Json = False) -> None:
    """Encrypt all stored credentials anew, while everything runs; safe to interrupt and to repeat.

    A generated key is followed by a new one. Keys given by CLIPCAST_CREDENTIAL_KEYS stay: the first of them encrypts everything then.
    Exit code 1 if something could not be decrypted.
    """
    from clipcast.accounts import rotation
    from clipcast.accounts.keys import credential_key_file

    with opened() as clipcast:
        source = _source(clipcast.settings.credential_keys.get_secret_value())
        done = rotation.rotate(clipcast.db, clipcast.vault, credential_key_file(clipcast.settings), clipcast.clock())
    if as_json:
        show_json({"source": source, **_shown(done)})
    else:
        _tell(done, source)
    if done.unreadable:
        raise typer.Exit(1)


def _shown(done: "Rotation") -> dict[str, object]:
    names = ("rewritten", "unreadable", "made_key", "dropped", "keys")
    return {name: getattr(done, name) for name in names}


def _tell(done: "Rotation", source: str) -> None:
    first = done.keys[0].id
    made = "A new key was made. " if done.made_key else ""
    say(f"{made}{done.rewritten} rows were encrypted anew; the key {first} encrypts now.")
    if source == "file" and not done.made_key:
        say("This finished a rotation that had been interrupted, so no new key was made. Repeat it for one.")
    for key in done.keys[1:]:
        say(f"The key {key.id}: {_standing(key, done.keys, source)}.")
    for key_id in done.dropped:
        say(f"The key {key_id}: no longer needed, and gone from credential.key.")
    if done.made_key:
        say("Copy credential.key to where you keep its backup.")
    if done.unreadable:
        tell(f"{done.unreadable} rows cannot be decrypted and stayed as they are. Which accounts: clipcast doctor.")


def _standing(key: "Key", ring: "Sequence[Key]", source: str) -> str:
    """What is to be known and done about this key."""
    if key.first:
        return "encrypts"
    if not key.known:
        return f"missing: {key.rows} rows need it; give it back, or connect those accounts again"
    if key.rows:
        return f"{key.rows} rows still need it; run: clipcast keys rotate"
    if source == "file":
        return "kept until a later rotation, for processes that are still writing" if key == ring[1] else "goes with the next rotation"
    return "no longer needed: remove it from CLIPCAST_CREDENTIAL_KEYS"


def _source(given: str) -> str:
    return "environment" if given else "file"
