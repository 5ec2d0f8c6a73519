"""What the HTTP interface takes and gives of accounts. Secrets come in and never go out."""

from datetime import UTC, datetime
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, StringConstraints, model_validator

from clipcast.accounts.credentials import check_identities
from clipcast.accounts.models import SocialAccount
from clipcast.accounts.outcomes import Result
from clipcast.accounts.provider import Provider, Reason
from clipcast.errors import InvalidRequest
from clipcast.platforms.credentials import end_of

Kind: TypeAlias = Literal["main", "satellite"]
Status: TypeAlias = Literal["active", "expired", "revoked", "disabled"]
PlatformName: TypeAlias = Literal["instagram", "tiktok", "youtube"]


def _aware(moment: datetime) -> datetime:
    """A time without a zone is UTC, as everywhere in this interface."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _no_number(moment: object) -> object:
    """A bare number would be taken for a moment in 1970, and is meant as the seconds that a token lives, which the platforms tell.

    Raises:
        ValueError: it is one; says what to send.
    """
    try:
        float(str(moment))
    except ValueError:
        return moment
    raise ValueError("give a time such as 2026-05-01T09:00:00Z, not a number of seconds")


Moment: TypeAlias = Annotated[datetime, BeforeValidator(_no_number), AfterValidator(_aware)]
Username: TypeAlias = Annotated[
    str,
    StringConstraints(strip_whitespace=True, pattern=r"^@?[^\s@/]{1,119}$"),
    AfterValidator(lambda name: name.removeprefix("@")),
]
AccountId: TypeAlias = Annotated[str, Field(max_length=36)]
CredentialName: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
CredentialValue: TypeAlias = Annotated[SecretStr, Field(max_length=10_000)]
Life: TypeAlias = Annotated[float, Field(gt=0, lt=1e9)]


class CredentialsIn(BaseModel):
    """Named as in the platform's documentation: `access_token`, `refresh_token`, `client_key`, `open_id` and so on; null removes one.

    The platform's own token answer will do as it is: the lives that it tells are counted from now.
    """

    model_config = ConfigDict(extra="allow", hide_input_in_errors=True, coerce_numbers_to_str=True)
    __pydantic_extra__: dict[CredentialName, CredentialValue | None]

    expires_at: Moment | None = Field(default=None, description="When the access token ends.")
    refresh_expires_at: Moment | None = Field(default=None, description="When the refresh token ends.")
    expires_in: Life | None = Field(default=None, description="Instead of `expires_at`: seconds from now.")
    refresh_expires_in: Life | None = Field(default=None, description="Instead of `refresh_expires_at`: seconds from now (TikTok).")
    refresh_token_expires_in: Life | None = Field(default=None, description="The same as Google has it.")

    def ends(self, now: datetime) -> tuple[datetime | None, datetime | None]:
        """When the access token and the refresh token end, as far as was said; a moment counts before a life."""
        refresh_life_s = self.refresh_expires_in or self.refresh_token_expires_in
        return self.expires_at or end_of(self.expires_in, now), self.refresh_expires_at or end_of(refresh_life_s, now)

    @model_validator(mode="after")
    def _identities_fit(self) -> Self:
        try:
            check_identities(self.values())
        except InvalidRequest as error:
            raise ValueError(str(error)) from None
        return self

    def values(self) -> dict[str, str | None]:
        """The secrets by name; None for those to remove."""
        return {name: value.get_secret_value() if value is not None else None for name, value in self.__pydantic_extra__.items()}


class AccountIn(BaseModel):
    """A new account."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    platform: PlatformName
    username: Username
    kind: Kind = "main"
    main_account_id: AccountId | None = Field(default=None, description="The main account that a satellite follows.")
    credentials: CredentialsIn = Field(default_factory=CredentialsIn)


class AccountChange(BaseModel):
    """What to change; what is not named stays, each credential too. `main_account_id: null` releases a satellite."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    status: Literal["active", "disabled"] | None = None
    kind: Kind | None = None
    main_account_id: AccountId | None = None
    credentials: CredentialsIn | None = None


class AccountOut(BaseModel):
    """An account as anybody may see it."""

    id: str
    platform: PlatformName
    username: str
    kind: Kind
    main_account_id: str | None
    status: Status
    external_id: str | None = Field(description="The platform's own, lasting id of the account, once it was connected.")
    live: bool = Field(
        description="Whether it publishes to the platform itself; false: to the simulator, or not at all where `status` is not `active`."
    )
    fallback_reason: Reason | None = Field(description="Why it publishes to the simulator.")
    missing_credentials: list[str] = Field(description="What the platform's API needs and the stored credentials lack.")
    expires_at: datetime | None = Field(description="When the access token ends; where it is renewable, a new one is fetched before.")
    refresh_expires_at: datetime | None
    renewable: bool = Field(description="Whether the token is renewed without its owner; only an active account's is.")
    connection_ends_at: datetime | None = Field(
        description="When the connection ends for good unless its owner connects the account again; null: no end is known, or the account "
        "is not active."
    )
    warning: str | None = Field(description="What goes wrong with the connection although it works, and when it is tried again.")
    last_refreshed: datetime | None
    last_error: str | None
    connected_at: datetime | None = Field(description="When its owner last connected it.")
    created_at: datetime
    updated_at: datetime


def shown(account: SocialAccount, provider: Provider) -> AccountOut:
    """The account without its secrets, with what its status and its credentials allow."""
    plain = {name: getattr(account, name) for name in AccountOut.model_fields if hasattr(account, name)}
    is_active = account.status == "active"
    expected = provider.forecast if is_active else None
    return AccountOut(
        **plain,
        live=is_active and not provider.simulated,
        fallback_reason=provider.reason if is_active else None,
        missing_credentials=list(provider.missing),
        renewable=expected is not None and expected.renewable,
        connection_ends_at=expected.connection_ends_at if expected else None,
    )


class RefreshOut(BaseModel):
    """What came of asking for a new token."""

    model_config = ConfigDict(from_attributes=True)

    account_id: str
    result: Result = Field(
        description="refreshed, someone_else (it is being refreshed right now), retry_later (trouble that passes), misconfigured (the "
        "app's own credentials), cannot_be_renewed (it works until it ends), scope_lost, reconnect_needed (only the owner can help)."
    )
    sentence: str
    expires_at: datetime | None
    again_at: datetime | None = Field(description="When it is tried again by itself.")
