"""YouTube's own options of an order, by names that read like the rest of the public API."""

from collections.abc import Iterator
from functools import cache
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, ValidationError

from clipcast.errors import Rejected
from clipcast.platforms.base import JsonValue, Order


def _number_as_text(value: JsonValue) -> JsonValue:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Language = Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$")]


class Localization(BaseModel):
    """Title and description in one more language."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    description: str = ""


class Options(BaseModel):
    """What YouTube offers beyond caption, title and privacy. Times have a zone; languages are BCP-47 (`en`, `pt-BR`).

    Source: https://developers.google.com/youtube/data/reference/rest/v3/videos/insert (read 2026-11-20)
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tags: tuple[str, ...] = ()
    category_id: Annotated[str | None, BeforeValidator(_number_as_text), Field(pattern=r"^\d{1,4}$")] = None
    publish_at: AwareDatetime | None = None
    notify_subscribers: StrictBool = True
    made_for_kids: StrictBool = False
    license: Literal["youtube", "creativeCommon"] = "youtube"
    embeddable: StrictBool = True
    public_stats_viewable: StrictBool = True
    default_language: Language | None = None
    default_audio_language: Language | None = None
    recording_date: AwareDatetime | None = None
    localizations: dict[Language, Localization] = Field(default_factory=dict)


def mistakes(order: Order) -> Iterator[tuple[str, str]]:
    """The options that are unknown or unusable: name, and a sentence that says what is wrong with it."""
    try:
        Options.model_validate(dict(order.options))
    except ValidationError as error:
        for each in error.errors(include_input=False, include_url=False):
            yield _mistake([str(part) for part in each["loc"]], each["type"], each["msg"])


def options_of(order: Order) -> Options:
    """The order's options.

    Raises:
        Rejected: there are mistakes, which preflight reports one by one.
    """
    try:
        return Options.model_validate(dict(order.options))
    except ValidationError:
        sentence = " ".join(sentence for _, sentence in mistakes(order))
        raise Rejected(sentence=sentence, platform="youtube", platform_code="bad_options") from None


@cache
def _known() -> str:
    return ", ".join(sorted(Options.model_fields))


def _mistake(where: list[str], kind: str, words: str) -> tuple[str, str]:
    name = ".".join(where) or "options"
    if kind == "extra_forbidden" and len(where) == 1:
        return name, f"YouTube has no option '{name}'; there are {_known()}."
    return name, f"The YouTube option '{name}' is not usable: {words[:1].lower()}{words[1:]}."
