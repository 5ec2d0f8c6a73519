"""`clipcast people`: who signs in here. On the database directly: whoever has a shell on this machine may let people in and out."""

from typing import TYPE_CHECKING, Annotated

import typer

from clipcast.cli.opening import opened
from clipcast.cli.output import Before, Json, Limit, say, show_json, show_table, tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from clipcast.people.access import Role
    from clipcast.people.models import ApiKey, Person
    from clipcast.system import Clipcast

nouns = typer.Typer(name="people", help="List, invite and delete people.", invoke_without_command=True, rich_markup_mode=None)


@nouns.callback()
def people(ctx: typer.Context, as_json: Json = False) -> None:
    """List, invite and delete people, and change their roles; without a command: list."""
    if ctx.invoked_subcommand is None:
        list_people(as_json=as_json)


@nouns.command("list")
def list_people(limit: Limit = 50, before: Before = None, as_json: Json = False) -> None:
    """List the people, the newest first."""
    from clipcast.people import store
    from clipcast.people.schemas import PersonOut

    with opened() as clipcast, clipcast.db.reading() as session:
        found = store.people(session, limit=limit, before=before)
    if as_json:
        show_json({"people": [PersonOut.model_validate(one).model_dump(mode="json") for one in found]})
        return
    rows = [(one.id, one.name, one.email, one.role, one.last_login_at) for one in found]
    columns = ("ID", "NAME", "EMAIL", "ROLE", "LAST SIGN-IN")
    show_table(columns, rows, empty="Nobody is here yet. Start the server and open the link that it prints: clipcast serve")


@nouns.command("invite")
def invite(
    role: Annotated[str, typer.Option("--role", help="owner, editor or viewer.")],
    *,
    email: Annotated[str | None, typer.Option("--email", help="Who may use the link; default: whoever has it.")] = None,
    url: Annotated[str, typer.Option("--url", help="Where the server is reached; default: CLIPCAST_PUBLIC_URL, or this machine.")] = "",
    as_json: Json = False,
) -> None:
    """Print a link by which one person joins. It works once, for seven days."""
    from clipcast.people import invitations, passwords

    chosen = _role(role, "--role")
    checked = None if email is None else passwords.checked_email(email)
    with opened() as clipcast:
        with clipcast.db.writing() as session:
            invitation, token = invitations.invite(session, chosen, checked, clipcast.clock())
        link = invitations.link(_base_url(clipcast, url), token)
    _show_link(link, invitation.id, "Send them this link; it works once", as_json=as_json)


@nouns.command("reset-password")
def reset_password(
    email: Annotated[str, typer.Argument(help="Whose password is gone.")],
    *,
    ask: Annotated[bool, typer.Option("--ask", help="Ask for the new password here, instead of printing a link.")] = False,
    url: Annotated[str, typer.Option("--url", help="Where the server is reached; default: CLIPCAST_PUBLIC_URL, or this machine.")] = "",
    as_json: Json = False,
) -> None:
    """Print a link by which this person sets a new password, once and within 24 hours; or set it here. Ends all their sessions."""
    from clipcast.people import invitations

    with opened() as clipcast:
        if ask:
            _set_password(clipcast, email, as_json=as_json)
            return
        with clipcast.db.writing() as session:
            person = _meant(session, email)
            token = invitations.reset_link(session, person, clipcast.clock())
        link = invitations.link(_base_url(clipcast, url), token)
    _show_link(link, person.id, "Open this link to set a new password; it works once", as_json=as_json)


@nouns.command("role")
def change_role(
    email: Annotated[str, typer.Argument(help="Whose role it is.")],
    new_role: Annotated[str, typer.Argument(metavar="ROLE", help="owner, editor or viewer.")],
    as_json: Json = False,
) -> None:
    """Give a person another role, from their next request on. The last owner stays one.

    Keys and invitations that they made and that may more than the new role end.
    """
    from clipcast.people import members
    from clipcast.people.access import COMMAND_LINE
    from clipcast.people.schemas import PersonOut

    chosen = _role(new_role, "ROLE")
    with opened() as clipcast, clipcast.db.writing() as session:
        person, revoked = members.change_role(session, _meant(session, email).id, chosen, clipcast.clock(), by=COMMAND_LINE)
    if as_json:
        show_json(PersonOut.model_validate(person).model_dump(mode="json") | {"revoked_keys": [key.id for key in revoked]})
        return
    say(f"{person.email} is {person.role} from now on.")
    _say_revoked(revoked)


@nouns.command("delete")
def delete(email: Annotated[str, typer.Argument(help="Who is to go.")], as_json: Json = False) -> None:
    """Delete a person, end their sessions, and revoke the keys and invitations that they made. The last owner stays.

    What they did stays in the ledger.
    """
    from clipcast.people import members
    from clipcast.people.access import COMMAND_LINE

    with opened() as clipcast, clipcast.db.writing() as session:
        person = _meant(session, email)
        revoked = members.delete(session, person.id, clipcast.clock(), by=COMMAND_LINE)
    if as_json:
        show_json({"deleted": person.id, "revoked_keys": [key.id for key in revoked]})
        return
    say(f"{email} is deleted, and signed out everywhere.")
    _say_revoked(revoked)


def _say_revoked(keys: "Sequence[ApiKey]") -> None:
    for key in keys:
        say(f"Revoked {key.prefix}... ({key.name}), made by them or with a key of theirs.")


def _role(name: str, param_hint: str) -> "Role":
    from clipcast.people.access import Role

    if name not in set(Role):
        raise typer.BadParameter("choose owner, editor or viewer", param_hint=param_hint)
    return Role(name)


def _meant(session: "Session", email: str) -> "Person":
    from clipcast.errors import NotFound
    from clipcast.people import passwords, store

    person = store.person_with(session, passwords.checked_email(email))
    if person is None:
        raise NotFound("Nobody with this email address is here. List who is: clipcast people")
    return person


def _set_password(clipcast: "Clipcast", email: str, *, as_json: bool) -> None:
    from clipcast.people import members, passwords, throttle
    from clipcast.people.access import COMMAND_LINE

    with clipcast.db.reading() as session:
        person = _meant(session, email)
    chosen = typer.prompt("New password", hide_input=True, confirmation_prompt=True, err=True)
    password_hash = passwords.hashed(passwords.checked_password(chosen, email=person.email, name=person.name))
    with clipcast.db.writing() as session:
        person = _meant(session, email)
        members.set_password(session, person, password_hash, clipcast.clock(), by=COMMAND_LINE)
        throttle.forgive(session, person.email)
    if as_json:
        show_json({"changed": person.id})
    else:
        say(f"{person.email} has a new password, and is signed out everywhere.")


def _base_url(clipcast: "Clipcast", wished: str) -> str:
    return wished or clipcast.settings.public_url or "http://127.0.0.1:8000"


def _show_link(link: str, row_id: str, meaning: str, *, as_json: bool) -> None:
    if as_json:
        show_json({"id": row_id, "url": link})
    else:
        tell(f"{meaning}:")
        say(link)
