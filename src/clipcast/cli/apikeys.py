"""`clipcast apikeys`: the keys by which programs use the HTTP interface."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from clipcast.cli.opening import opened
from clipcast.cli.output import Before, Json, Limit, moment, say, show_json, show_table, tell
from clipcast.people.access import Permission, Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from clipcast.people.models import ApiKey

nouns = typer.Typer(name="apikeys", help="Make, list and revoke API keys.", invoke_without_command=True, rich_markup_mode=None)


@nouns.callback()
def apikeys(ctx: typer.Context, as_json: Json = False) -> None:
    """Make, list and revoke API keys; without a command: list."""
    if ctx.invoked_subcommand is None:
        list_keys(as_json=as_json)


@nouns.command("create")
def create(
    name: Annotated[str, typer.Option("--name", help="Whose key it is, for you to know it again.")],
    role: Annotated[Role, typer.Option("--role", help="A viewer reads, an editor publishes too, an owner does everything.")],
    *,
    scopes: Annotated[
        list[Permission] | None, typer.Option("--scope", help="Less than its role may: only this; can be repeated. Default: all of it.")
    ] = None,
    expires_in_days: Annotated[
        int | None, typer.Option("--expires-in-days", min=1, max=3650, help="Let it end by itself. Default: it lasts until it is revoked.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a key and show it, this once: only its hash is kept.

    The key alone goes to standard output: KEY=$(clipcast apikeys create --name me --role editor)
    """
    from datetime import timedelta

    from clipcast.people import keys

    with opened() as clipcast:
        now = clipcast.clock()
        expires_at = now + timedelta(days=expires_in_days) if expires_in_days else None
        with clipcast.db.writing() as session:
            key, text = keys.create_key(session, name=name, role=role, scopes=scopes or None, expires_at=expires_at, now=now)
            [shown] = _shown(session, [key])
    if as_json:
        show_json(shown | {"key": text})
        return
    say(text)
    until = f", ends {moment(expires_at)}" if expires_at else ""
    tell(f"This is the key, shown only now: {shown['name']}, {_may(shown)}{until}. Send it as the header Authorization: Bearer KEY.")


@nouns.command("list")
def list_keys(limit: Limit = 50, before: Before = None, as_json: Json = False) -> None:
    """List the keys, revoked ones too, newest first."""
    from clipcast.people import store

    with opened() as clipcast, clipcast.db.reading() as session:
        now, found = clipcast.clock(), _shown(session, store.keys(session, limit=limit, before=before))
    if as_json:
        show_json({"api_keys": found})
        return
    rows = [(each["id"], each["prefix"], each["name"], _may(each), _state(each, now), each["last_used_at"], _maker(each)) for each in found]
    show_table(
        ("ID", "BEGINS", "NAME", "MAY", "IS", "LAST USED", "MADE BY"),
        rows,
        empty="There are no keys yet. Make one: clipcast apikeys create --name me --role owner",
    )


@nouns.command("revoke")
def revoke(
    meant: Annotated[str, typer.Argument(metavar="ID_OR_PREFIX", help="A key's id, or the characters that it begins with, as listed.")],
    as_json: Json = False,
) -> None:
    """Make a key worthless from now on, and the keys that were made with it. They stay in the list."""
    from clipcast.people import keys

    with opened() as clipcast, clipcast.db.writing() as session:
        revoked, *others = _shown(session, keys.revoke_key(session, _meant(session, meant), now=clipcast.clock()))
    if as_json:
        show_json(revoked | {"revoked_with_it": [each["id"] for each in others]})
        return
    say(f"Revoked {revoked['prefix']}... ({revoked['name']}): whoever uses it is refused from now on.")
    for each in others:
        say(f"Revoked with it {each['prefix']}... ({each['name']}), which was made with it.")


def _meant(session: "Session", text: str) -> str:
    """The id of the one key that is meant.

    Raises:
        NotFound: there is none.
    """
    from clipcast.errors import NotFound
    from clipcast.people import store

    found = store.keys_meant(session, text) if text else []
    if not found:
        raise NotFound("There is no such key. List them: clipcast apikeys")  # never the text itself: it may be a whole key
    if len(found) > 1:
        raise typer.BadParameter(f"That may be any of {', '.join(key.prefix for key in found)}; say more of it, or the id.")
    return found[0].id


def _shown(session: "Session", keys: "Sequence[ApiKey]") -> list[dict[str, Any]]:
    from clipcast.people import store
    from clipcast.people.schemas import ApiKeyOut

    names = store.names_of(session, [key.created_by for key in keys])
    return [ApiKeyOut.of(key, names).model_dump() for key in keys]


def _maker(key: dict[str, Any]) -> str:
    """The name of the person or key, or what stands for them once they are gone."""
    return str(key["created_by_name"] or key["created_by"] or "")


def _may(key: dict[str, Any]) -> str:
    """Its role, and what it is narrowed to."""
    return f"{key['role']}: {' and '.join(key['scopes'])} only" if key["scopes"] else str(key["role"])


def _state(key: dict[str, Any], now: Any) -> str:
    if key["revoked_at"] is not None:
        return "revoked"
    if key["expires_at"] is None:
        return "valid"
    return "expired" if key["expires_at"] <= now else f"valid until {moment(key['expires_at'])}"
