"""The environment, read once: the only module that looks at `CLIPCAST_*` variables.

Each variable may also come from a file named by `CLIPCAST_<NAME>_FILE` (as container platforms hand out secrets).
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from clipcast.errors import ConfigurationError

PREFIX = "CLIPCAST_"


class _Files(PydanticBaseSettingsSource):
    """Reads `CLIPCAST_<NAME>_FILE`: the value is the file's text without the final newline."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The text of the file that the field's variable names; None without such a variable.

        Raises:
            ConfigurationError: the file is missing, unreadable, empty or not text.
        """
        del field
        variable = f"{PREFIX}{field_name.upper()}_FILE"
        path = os.environ.get(variable)
        if not path:
            return None, field_name, False
        try:
            text = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
        except OSError as error:
            raise ConfigurationError(f"{variable} names {path}, which cannot be read: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise ConfigurationError(f"{variable} names {path}, which is not text.") from error
        if not text:
            # Taken for "not set", an empty secret would be replaced by a generated one without a word.
            raise ConfigurationError(f"{variable} names {path}, which is empty.")
        return text, field_name, False

    def __call__(self) -> dict[str, Any]:
        found = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}


class Settings(BaseSettings):
    """Everything that can be set, with its default. Frozen; built once at an entry point and handed down."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True, hide_input_in_errors=True)

    data_dir: Path = Field(default=Path("clipcast-data"), description="Where media, the SQLite database and generated secrets live.")
    database_url: str = Field(default="", description="SQLAlchemy URL; empty: SQLite in the data directory.", repr=False)
    storage_url: str = Field(
        default="", description="file:// or s3://bucket URL of the media store; empty: `media/` in the data directory."
    )
    public_url: str = Field(
        default="",
        description="Where platforms reach this server (https://clips.example.com, without a path); needed for photos and pulls.",
    )
    secret_key: SecretStr = Field(default=SecretStr(""), description="Signs media URLs; generated into the data directory when empty.")
    credential_keys: SecretStr = Field(
        default=SecretStr(""),
        description="Comma separated base64 keys of 32 bytes; the first encrypts credentials, all decrypt. Generated when empty.",
    )
    simulation: Literal["fallback", "off", "always"] = Field(
        default="fallback",
        description="`fallback`: accounts without credentials publish to the simulator; `off`: they fail; `always`: all do.",
    )
    simulator_url: str = Field(default="", description="A simulator to use instead of the server's own.")
    simulator_failure_rate: float = Field(default=0.1, ge=0, le=1, description="Share of simulated requests and posts that fail.")
    simulator_delay_min_s: float = Field(default=0.1, ge=0, le=60, description="Shortest simulated network delay, in seconds.")
    simulator_delay_max_s: float = Field(default=0.3, ge=0, le=60, description="Longest simulated network delay, in seconds.")
    worker_threads: int = Field(default=8, ge=1, le=256, description="Publications that the embedded worker drives at the same time.")
    fetch_max_bytes: int = Field(default=4_000_000_000, ge=1, description="Largest file accepted by upload or URL, in bytes.")
    fetch_allow_hosts: Annotated[frozenset[str], NoDecode] = Field(
        default=frozenset(), description="Comma separated private host names that clips may be fetched from, e.g. a NAS."
    )
    tiktok_client_key: str = Field(default="", description="TikTok app's client key, for accounts that do not carry their own.")
    tiktok_client_secret: SecretStr = Field(default=SecretStr(""), description="TikTok app's client secret.")
    tiktok_api_url: str = Field(default="https://open.tiktokapis.com", description="TikTok's API.")
    tiktok_authorize_url: str = Field(
        default="https://www.tiktok.com/v2/auth/authorize", description="TikTok's page on which an account's owner consents."
    )
    youtube_client_id: str = Field(default="", description="Google app's client id, for YouTube accounts that do not carry their own.")
    youtube_client_secret: SecretStr = Field(default=SecretStr(""), description="Google app's client secret.")
    youtube_api_url: str = Field(default="https://www.googleapis.com", description="YouTube's API.")
    youtube_upload_url: str = Field(default="https://www.googleapis.com", description="Where YouTube takes videos and covers.")
    youtube_token_url: str = Field(default="https://oauth2.googleapis.com/token", description="Google's token endpoint.")
    youtube_authorize_url: str = Field(
        default="https://accounts.google.com/o/oauth2/v2/auth", description="Google's page on which a channel's owner consents."
    )
    instagram_app_id: str = Field(
        default="",
        description="Id of the app that connects Instagram accounts: of its Instagram product, or the Meta app's for Facebook login.",
    )
    instagram_app_secret: SecretStr = Field(default=SecretStr(""), description="That app's secret.")
    instagram_graph_url: str = Field(
        default="", description="Instagram's Graph API; empty: graph.instagram.com or graph.facebook.com, as the account was linked."
    )
    instagram_upload_url: str = Field(default="https://rupload.facebook.com", description="Where Instagram takes a video's bytes.")
    instagram_token_url: str = Field(default="https://graph.instagram.com", description="Where Instagram's access tokens are renewed.")
    instagram_code_url: str = Field(
        default="https://api.instagram.com", description="Where a consent with Instagram login is traded for an access token."
    )
    instagram_authorize_url: str = Field(
        default="", description="Where an Instagram account's owner consents; empty: www.instagram.com or www.facebook.com, by the login."
    )
    metrics_address: str = Field(default="", description="HOST:PORT where a worker without a server answers GET /metrics; empty: nowhere.")
    traces_url: str = Field(
        default="",
        description="OpenTelemetry collector for one trace per publication, e.g. http://127.0.0.1:4318/v1/traces; needs the extra `otel`.",
    )
    broker_url: str = Field(
        default="",
        repr=False,
        description="redis:// or amqp:// URL of a broker: Celery workers carry out what is due; empty: the server does it itself.",
    )
    redis_url: str = Field(
        default="", repr=False, description="redis:// URL: the platforms' limits are counted there; empty: in the database."
    )
    log_format: Literal["auto", "text", "json"] = Field(default="auto", description="Log lines for people or for machines.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="The least severe event that is logged.")

    @field_validator("fetch_allow_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return frozenset(part.strip().lower() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator(
        "tiktok_api_url",
        "tiktok_authorize_url",
        "instagram_authorize_url",
        "instagram_code_url",
        "instagram_graph_url",
        "instagram_upload_url",
        "instagram_token_url",
        "youtube_api_url",
        "youtube_authorize_url",
        "youtube_upload_url",
        "youtube_token_url",
        "simulator_url",
        "public_url",
        "traces_url",
    )
    @classmethod
    def _without_slash(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value.rstrip("/")

    @field_validator("public_url")
    @classmethod
    def _of_a_whole_host(cls, value: str) -> str:
        """Cookies, pages and the addresses to come back to are made for the root of a host."""
        parts = urlsplit(value)
        if value and (not parts.hostname or parts.path or "?" in value or "#" in value or "@" in parts.netloc):
            raise ValueError(
                "must be scheme, host and port alone, such as https://clips.example.com; Clipcast cannot live below a path, so give it a "
                "host name of its own, and leave out query, fragment and user name"
            )
        return value

    @field_validator("broker_url", "redis_url")
    @classmethod
    def _of_a_broker(cls, value: str, info: ValidationInfo) -> str:
        schemes = ("redis", "rediss", "amqp", "amqps") if info.field_name == "broker_url" else ("redis", "rediss")
        if value and value.partition("://")[0] not in schemes:
            raise ValueError(f"must begin with {'://, '.join(schemes)}://")
        return value

    @model_validator(mode="after")
    def _delays_in_order(self) -> Self:
        if self.simulator_delay_min_s > self.simulator_delay_max_s:
            raise ValueError("CLIPCAST_SIMULATOR_DELAY_MIN_S must not be above CLIPCAST_SIMULATOR_DELAY_MAX_S")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over the environment, which wins over the files it names."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, _Files(settings_cls)

    @property
    def database(self) -> str:
        """The database's SQLAlchemy URL, with the default filled in."""
        return self.database_url or f"sqlite:///{self.data_dir.absolute() / 'clipcast.sqlite3'}"


def load_settings(**overrides: Any) -> Settings:
    """The settings of this process; `overrides` win over the environment.

    Raises:
        ConfigurationError: naming the variable and what is wrong with it.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise ConfigurationError(" ".join(_explain(problem) for problem in error.errors())) from error


def environment_with(settings: Mapping[str, str]) -> dict[str, str]:
    """This process's environment for a child that is to have these settings, by their names here, and none of our own."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return others | {f"{PREFIX}{name.upper()}": value for name, value in settings.items()}


def _explain(problem: Mapping[str, Any]) -> str:
    sentence = problem["msg"].removeprefix("Value error, ").removesuffix(".") + "."
    return f"{PREFIX}{str(problem['loc'][0]).upper()} is not usable: {sentence}" if problem["loc"] else sentence
