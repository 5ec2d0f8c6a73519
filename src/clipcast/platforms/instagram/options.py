"""Instagram's own options, by its own names: what `Order.options` may hold."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from clipcast.errors import Rejected
from clipcast.platforms.base import JsonValue, Problem
from clipcast.platforms.instagram.limits import MAX_ALT_TEXT_CHARS, MAX_COLLABORATORS, MAX_USER_TAGS

Username = Annotated[str, Field(pattern=r"^@?[A-Za-z0-9._]{1,30}$")]
Share = Annotated[float, Field(ge=0, le=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class UserTag(_Strict):
    """A person in the picture: where, as shares of width and height from the top left, and in which item of a carousel, from 0."""

    username: Username
    x: Share | None = None
    y: Share | None = None
    item: int = Field(default=0, ge=0, le=9)


class TrialParams(_Strict):
    """A trial reel is shown to people who do not follow; how it becomes a normal one."""

    graduation_strategy: Literal["MANUAL", "SS_PERFORMANCE"]


class Options(_Strict):
    """Source: https://developers.facebook.com/documentation/instagram-platform/instagram-graph-api/reference/ig-user/media (2026-09).

    `alt_texts` are by item; an empty one leaves an item without. The cover, the AI label and the partnership label are not here: they
    are every platform's (`cover_ms`, `cover_clip_id`, `ai_generated`, `brand_content`).
    """

    share_to_feed: bool | None = None
    collaborators: tuple[Username, ...] = Field(default=(), max_length=MAX_COLLABORATORS)
    location_id: str = Field(default="", pattern=r"^\d{0,30}$")
    alt_texts: tuple[Annotated[str, Field(max_length=MAX_ALT_TEXT_CHARS)], ...] = ()
    audio_name: str = Field(default="", max_length=200)
    user_tags: tuple[UserTag, ...] = Field(default=(), max_length=MAX_USER_TAGS)
    trial_params: TrialParams | None = None


NAMES: Final = tuple(Options.model_fields)


def options_of(given: Mapping[str, JsonValue]) -> Options:
    """The options, checked.

    Raises:
        Rejected: they are not what Instagram takes; preflight says the same before anything is sent.
    """
    try:
        return Options.model_validate(dict(given))
    except ValidationError as error:
        sentences = " ".join(problem.sentence for problem in _problems(error))
        raise Rejected(sentence=sentences, platform="instagram", platform_code="option_not_valid", post_failed=True) from None


def option_problems(given: Mapping[str, JsonValue]) -> list[Problem]:
    """What is unknown or wrong in the options, each by its name."""
    try:
        Options.model_validate(dict(given))
    except ValidationError as error:
        return list(_problems(error))
    return []


def _problems(error: ValidationError) -> Iterator[Problem]:
    for each in error.errors(include_url=False, include_input=False):
        name = ".".join(str(part) for part in each["loc"])[:100]
        if each["type"] == "extra_forbidden" and len(each["loc"]) == 1:
            yield Problem(f"options.{name}", "unknown_option", f"Instagram has no option '{name}'; there are {', '.join(NAMES)}.")
        else:
            wrong = each["msg"].rstrip(".")
            yield Problem(f"options.{name}", "option_not_valid", f"The option '{name}' is not what Instagram takes: {wrong}.")
