"""Auto-fit: which files of an order its platform takes only after a conversion, and what the order looks like then."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from sqlalchemy.orm import Session

from clipcast.clips import store as clips
from clipcast.clips.fitting import Plan, expected, fits, plan_for
from clipcast.clips.media import media_of_rendition
from clipcast.platforms.base import Answer, AnyPlatform, Media, Order, Problem
from clipcast.platforms.forms import MediaForm, purpose_of

_ADVICE: Final = "Or set auto_fit to true, and Clipcast posts a converted copy."


def fitted(session: Session, order: Order, platform: AnyPlatform) -> Order:
    """The order with its conversions, where they have been made, in the place of files that do not fit."""
    media = tuple(_converted(session, order, each, platform) for each in order.media)
    return replace(order, media=media, cover=_converted(session, order, order.cover, platform) if order.cover else None)


def _converted(session: Session, order: Order, media: Media, platform: AnyPlatform) -> Media:
    form = platform.form(order, media)
    if form is None or fits(media, form):
        return media
    clip = clips.get_clip(session, _clip_id(media))
    rendition = clips.find_rendition(session, clip.id, purpose_of(form))
    return media if rendition is None else media_of_rendition(clip, rendition)


def conversions_of(order: Order, platform: AnyPlatform) -> list[tuple[str, MediaForm]]:
    """Which clips have to be converted to which form before this order can begin, each once."""
    return list(dict.fromkeys((_clip_id(media), form) for _, media, form, _ in _unfit(order, platform)))


def problems_of(order: Order, platform: AnyPlatform, account_answer: Answer | None, *, auto_fit: bool) -> list[Problem]:
    """What the platform has against this order, and what a conversion would mend of that; with `auto_fit`, it will.

    What can be mended is not marked by hand: it is what the platform no longer objects to once the files are what the plan makes of them.
    """
    found, plans = platform.problems(order, account_answer), list(_unfit(order, platform))
    if not plans:
        return found
    left = {(problem.field, problem.code) for problem in platform.problems(_as_planned(order, platform), account_answer)}
    mended = [problem for problem in found if (problem.field, problem.code) not in left]
    if not auto_fit:
        return [_mendable(problem) if problem in mended else problem for problem in found]
    notes = [_will_be_converted(field, plan) for field, _, _, plan in plans]
    return [*(problem for problem in found if problem not in mended), *notes]


def _unfit(order: Order, platform: AnyPlatform) -> Iterator[tuple[str, Media, MediaForm, Plan]]:
    """The files that do not fit and can be made to: where they are in the order, and what is to be done."""
    places = [("media" if len(order.media) == 1 else f"media[{index}]", media) for index, media in enumerate(order.media)]
    for field, media in [*places, *([("cover", order.cover)] if order.cover else [])]:
        form = platform.form(order, media)
        if form is not None and not fits(media, form):
            plan = plan_for(media, form)
            if plan is not None:
                yield field, media, form, plan


def _as_planned(order: Order, platform: AnyPlatform) -> Order:
    planned = {media: expected(media, plan, form) for _, media, form, plan in _unfit(order, platform)}
    cover = planned.get(order.cover, order.cover) if order.cover else None
    return replace(order, media=tuple(planned.get(media, media) for media in order.media), cover=cover)


def _mendable(problem: Problem) -> Problem:
    return replace(problem, sentence=f"{problem.sentence} {_ADVICE}", fittable=True)


def _will_be_converted(field: str, plan: Plan) -> Problem:
    sentence = f"The file is converted before it is posted: {plan}. The original stays as it is."
    return Problem(field, "will_be_converted", sentence, blocking=False, fittable=True)


def _clip_id(media: Media) -> str:
    return media.media_id.partition(":")[0]
