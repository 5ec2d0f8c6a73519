"""People, invitations, keys and sessions as the HTTP interface speaks of them. No hash and no password ever comes out."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, SecretStr, model_validator

from clipcast.people.access import Actor, Permission, Role
from clipcast.people.models import ApiKey, Invitation, Person
from clipcast.people.passwords import LONGEST, LONGEST_EMAIL, LONGEST_NAME

Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
Email: TypeAlias = Annotated[str, Field(min_length=3, max_length=LONGEST_EMAIL, examples=["ada@example.com"])]
Password: TypeAlias = Annotated[SecretStr, Field(max_length=LONGEST)]
PageSize: TypeAlias = Annotated[int, Field(ge=1, le=200, description="How many per page.")]
Before: TypeAlias = Annotated[str | None, Field(max_length=36, description="`next` of the page before.")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _FromRow(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class _HandedOut(_FromRow):
    created_by: str | None = Field(
        description="Who made it: `person:` or `key:` with an id, or `command line`. Null: made before that was kept."
    )
    created_by_name: str | None = Field(default=None, description="What that person or key is called; null for others.")

    @classmethod
    def of(cls, row: ApiKey | Invitation, names: Mapping[str, str]) -> Self:
        """The row, and what `store.names_of` calls its maker."""
        return cls.model_validate(row).model_copy(update={"created_by_name": names.get(row.created_by or "")})


class PersonOut(_FromRow):
    """Somebody who signs in here."""

    id: str
    email: str
    name: str
    role: Role
    last_login_at: datetime | None
    created_at: datetime
    updated_at: datetime


class PeoplePage(BaseModel):
    """Some of the people."""

    people: list[PersonOut]
    next: str | None = Field(description="Ask for `before` this for the next page; null at the end.")


class PersonChange(_Strict):
    """What an owner may change of a person; what is left out stays as it is."""

    name: Name | None = None
    role: Role | None = None


class Me(BaseModel):
    """Who is asking, and what they may do."""

    kind: Literal["person", "key"]
    id: str
    name: str
    email: str | None = Field(description="Null for keys.")
    role: Role
    permissions: list[Permission]

    @classmethod
    def of(cls, actor: Actor, person: Person | None = None) -> "Me":
        """The actor, with what only a person has."""
        name, email = (actor.name, None) if person is None else (person.name, person.email)
        return cls(kind=actor.kind, id=actor.id, name=name, email=email, role=actor.role, permissions=sorted(actor.permissions))


class MyChange(_Strict):
    """What people may change of themselves; what is left out stays as it is."""

    name: Name | None = None
    password: Password | None = Field(default=None, description="The new password; ends all other sessions. Needs `current_password`.")
    current_password: Password | None = None

    @model_validator(mode="after")
    def _both(self) -> "MyChange":
        if self.password is not None and self.current_password is None:
            raise ValueError("send current_password along with the new password")
        return self


class InvitationIn(_Strict):
    """A link to hand out."""

    role: Role
    email: Email | None = Field(default=None, description="Who may use it; default: whoever has the link.")


class InvitationOut(_HandedOut):
    """A link that was handed out and not used yet."""

    id: str
    role: Role
    email: str | None
    created_at: datetime
    expires_at: datetime


class NewInvitation(InvitationOut):
    """An invitation, this once with its link."""

    url: str = Field(description="The link; it works once, and cannot be shown again.")


class InvitationPage(BaseModel):
    """Some of the open invitations."""

    invitations: list[InvitationOut]
    next: str | None = Field(description="Ask for `before` this for the next page; null at the end.")


class ApiKeyIn(_Strict):
    """A key to make."""

    name: Name
    role: Role
    scopes: Annotated[list[Permission], AfterValidator(lambda scopes: sorted(set(scopes)))] | None = Field(
        default=None, description="Only these of what the role may; default: all of it."
    )
    expires_at: AwareDatetime | None = Field(
        default=None,
        description="When it ends by itself, with a time zone; default: never. Of a key made with a key, at that one's end at the latest.",
    )


class ApiKeyOut(_HandedOut):
    """A key, without what would let anybody use it."""

    id: str
    name: str
    role: Role
    scopes: list[Permission] | None
    prefix: str = Field(description="How it begins, to tell keys apart.")
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = Field(description="To the minute.")
    revoked_at: datetime | None


class NewApiKey(ApiKeyOut):
    """A key, this once with its text."""

    key: str = Field(description="The key itself: `Authorization: Bearer KEY`. It cannot be shown again.")


class ApiKeyPage(BaseModel):
    """Some of the keys."""

    api_keys: list[ApiKeyOut]
    next: str | None = Field(description="Ask for `before` this for the next page; null at the end.")


class Credentials(_Strict):
    """Who wants to sign in."""

    email: Annotated[str, Field(max_length=LONGEST_EMAIL)]
    password: Password
