"""People, invitations, API keys and sessions over HTTP."""

from collections.abc import Collection
from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.orm import Session

from clipcast.errors import Forbidden
from clipcast.people import browsers, invitations, keys, members, passwords, sessions, signing_in, standing, store
from clipcast.people.access import GRANTS, Actor, Permission
from clipcast.people.admission import MANAGES, PUBLIC, READS, CurrentActor
from clipcast.people.browsers import Services, services
from clipcast.people.schemas import (
    ApiKeyIn,
    ApiKeyOut,
    ApiKeyPage,
    Before,
    Credentials,
    InvitationIn,
    InvitationOut,
    InvitationPage,
    Me,
    MyChange,
    NewApiKey,
    NewInvitation,
    PageSize,
    PeoplePage,
    PersonChange,
    PersonOut,
)
from clipcast.repeats import Key, Once

people_router = APIRouter(prefix="/people", tags=["people"])
keys_router = APIRouter(prefix="/apikeys", tags=["people"])
sessions_router = APIRouter(prefix="/sessions", tags=["people"])

Installation = Annotated[Services, Depends(services)]
NOT_KEPT: Final = {"Cache-Control": "no-store"}
"""Nobody on the way keeps an answer that holds what lets somebody in."""


@people_router.get("", dependencies=[MANAGES])
def list_people(opened: Installation, limit: Annotated[PageSize, Query()] = 50, before: Annotated[Before, Query()] = None) -> PeoplePage:
    """The people, the newest first."""
    with opened.db.reading() as session:
        found = store.people(session, limit=limit + 1, before=before)
    page = [PersonOut.model_validate(person) for person in found[:limit]]
    return PeoplePage(people=page, next=page[-1].id if len(found) > limit else None)


@people_router.get("/me", dependencies=[READS])
def show_me(opened: Installation, actor: CurrentActor) -> Me:
    """Who is asking, person or key, and what they may do."""
    return _me(opened, actor)


@people_router.patch("/me", dependencies=[READS])
def change_me(change: MyChange, request: Request, response: Response, opened: Installation, actor: CurrentActor) -> Me:
    """Change one's own name or password. A new password ends all other sessions, and other browsers are new ones at their next sign-in."""
    if actor.kind != "person":
        raise Forbidden("An API key has no name or password to change here. Sign in as a person.")
    now = opened.clock()
    if change.password is not None and change.current_password is not None:
        current, new = change.current_password.get_secret_value(), change.password.get_secret_value()
        token = browsers.session_token(request)
        browsers.know(request, response, signing_in.change_password(opened.db, actor.id, current, new, now, by=actor.label, token=token))
    if change.name is not None:
        name = passwords.checked_name(change.name)
        with opened.db.writing() as session:
            members.rename(session, actor.id, name, now, by=actor.label)
    return _me(opened, actor)


@people_router.post("/invitations", status_code=201, dependencies=[MANAGES])
def create_invitation(
    wanted: InvitationIn, request: Request, response: Response, opened: Installation, actor: CurrentActor, *, key: Key = None
) -> NewInvitation:
    """Make a link by which one person joins. It works once, for seven days, and is shown only in this answer."""
    _check_giving(actor, GRANTS[wanted.role])
    email = None if wanted.email is None else passwords.checked_email(wanted.email)
    now = opened.clock()
    with opened.db.writing() as session:
        _check_still(session, actor, {Permission.MANAGE, *GRANTS[wanted.role]}, now)
        once = Once(session, "POST /people/invitations", key, wanted, by=actor.label)
        once.refuse_again("invitation")
        invitation, token = invitations.invite(session, wanted.role, email, now, by=actor.label)
        once.remember(invitation.id, now)
        shown = InvitationOut.of(invitation, store.names_of(session, [invitation.created_by]))
    response.headers.update(NOT_KEPT)
    url = invitations.link(opened.settings.public_url or str(request.base_url), token)
    return NewInvitation(**shown.model_dump(), url=url)


@people_router.get("/invitations", dependencies=[MANAGES])
def list_invitations(
    opened: Installation, limit: Annotated[PageSize, Query()] = 50, before: Annotated[Before, Query()] = None
) -> InvitationPage:
    """The invitations that can still be used, the newest first."""
    with opened.db.reading() as session:
        found = store.open_invitations(session, opened.clock(), limit=limit + 1, before=before)
        names = store.names_of(session, [invitation.created_by for invitation in found])
    page = [InvitationOut.of(invitation, names) for invitation in found[:limit]]
    return InvitationPage(invitations=page, next=page[-1].id if len(found) > limit else None)


@people_router.delete("/invitations/{invitation_id}", status_code=204, dependencies=[MANAGES])
def withdraw_invitation(invitation_id: str, opened: Installation, actor: CurrentActor) -> None:
    """Make the link worthless."""
    with opened.db.writing() as session:
        invitations.withdraw(session, invitation_id, opened.clock(), by=actor.label)


@people_router.patch("/{person_id}", dependencies=[MANAGES])
def change_person(person_id: str, change: PersonChange, opened: Installation, actor: CurrentActor) -> PersonOut:
    """Give a person another name or role. The last owner stays one (409).

    A lower role ends what the person handed out and it does not allow: their open invitations are withdrawn, and the keys that they made
    and that may more are revoked, with whatever was made with those.
    """
    if change.role is not None:
        _check_giving(actor, GRANTS[change.role])
    name, now = None if change.name is None else passwords.checked_name(change.name), opened.clock()
    with opened.db.writing() as session:
        person = store.person_of(session, person_id)
        if change.role is not None:
            person, _ = members.change_role(session, person_id, change.role, now, by=actor.label)
            _check_still(session, actor, GRANTS[change.role], now)  # here, where the owners are locked in their order
        if name is not None:
            person = members.rename(session, person_id, name, now, by=actor.label)
        return PersonOut.model_validate(person)


@people_router.delete("/{person_id}", status_code=204, dependencies=[MANAGES])
def delete_person(person_id: str, opened: Installation, actor: CurrentActor) -> None:
    """Delete a person and end their sessions. What they did stays in the ledger. The last owner stays (409).

    What they handed out goes with them: the keys that they made are revoked, those made with these keys too, and so on, and their open
    invitations are withdrawn. `created_by` of keys and invitations says which. People who came by an invitation of theirs stay.
    """
    with opened.db.writing() as session:
        members.delete(session, person_id, opened.clock(), by=actor.label)


@keys_router.post("", status_code=201, dependencies=[MANAGES])
def create_key(wanted: ApiKeyIn, response: Response, opened: Installation, actor: CurrentActor, key: Key = None) -> NewApiKey:
    """Make a key. Its text is in this answer and nowhere else.

    A key that is made with a key ends with it: it is revoked when that one is, and its `expires_at` is that one's at the latest (400).
    """
    granted = GRANTS[wanted.role]
    given = granted if wanted.scopes is None else granted.intersection(wanted.scopes)
    _check_giving(actor, given)
    now = opened.clock()
    with opened.db.writing() as session:
        _check_still(session, actor, {Permission.MANAGE, *given}, now)
        once = Once(session, "POST /apikeys", key, wanted, by=actor.label)
        once.refuse_again("key")
        row, text = keys.create_key(
            session, name=wanted.name, role=wanted.role, scopes=wanted.scopes, expires_at=wanted.expires_at, now=now, by=actor.label
        )
        once.remember(row.id, now)
        shown = ApiKeyOut.of(row, store.names_of(session, [row.created_by]))
    response.headers.update(NOT_KEPT)
    return NewApiKey(**shown.model_dump(), key=text)


@keys_router.get("", dependencies=[MANAGES])
def list_keys(opened: Installation, limit: Annotated[PageSize, Query()] = 50, before: Annotated[Before, Query()] = None) -> ApiKeyPage:
    """The keys, revoked ones too, the newest first."""
    with opened.db.reading() as session:
        found = store.keys(session, limit=limit + 1, before=before)
        names = store.names_of(session, [row.created_by for row in found])
    page = [ApiKeyOut.of(row, names) for row in found[:limit]]
    return ApiKeyPage(api_keys=page, next=page[-1].id if len(found) > limit else None)


@keys_router.delete("/{key_id}", status_code=204, dependencies=[MANAGES])
def revoke_key(key_id: str, opened: Installation, actor: CurrentActor) -> None:
    """Revoke a key: it is worthless from now on, and stays in the list.

    The keys that were made with it are revoked too, and so on, and the open invitations that were made with them are withdrawn.
    """
    with opened.db.writing() as session:
        keys.revoke_key(session, key_id, now=opened.clock(), by=actor.label)


@sessions_router.post("", status_code=201, dependencies=[PUBLIC])
def sign_in(wanted: Credentials, request: Request, response: Response) -> Me:
    """Sign in: the session is in the cookie of the answer. Only for our own pages; programs use API keys."""
    signed_in = browsers.sign_in(request, response, wanted.email, wanted.password.get_secret_value())
    return Me.of(sessions.actor_of(signed_in.person), signed_in.person)


@sessions_router.delete("/current", status_code=204, dependencies=[PUBLIC])
def sign_out(request: Request, response: Response) -> None:
    """Sign out: the session ends, if there is one."""
    browsers.sign_out(request, response)


def _check_giving(actor: Actor, given: Collection[Permission]) -> None:
    """Pass when whoever asks has all of this: a key with fewer scopes than its role would make itself one with all of them.

    Raises:
        Forbidden: something is lacking.
    """
    lacking = sorted({*given} - actor.permissions)
    if lacking:
        may_not = " and ".join(lacking)
        raise Forbidden(f"This API key lacks {may_not}, so it cannot let anybody else in with that. Use a key that has it, or give less.")


def _check_still(session: Session, actor: Actor, given: Collection[Permission], now: datetime) -> None:
    """Pass when whoever asks may still do this: what is handed out just after somebody was shown out would let them in again.

    Raises:
        Forbidden: they were deleted or revoked, or may less now.
    """
    if not standing.permissions_now(session, actor.label, now).issuperset(given):
        raise Forbidden("You were taken out, or may less, since you asked for this. Nothing was done.")


def _me(opened: Services, actor: Actor) -> Me:
    if actor.kind != "person":
        return Me.of(actor)
    with opened.db.reading() as session:
        return Me.of(actor, store.person_of(session, actor.id))
