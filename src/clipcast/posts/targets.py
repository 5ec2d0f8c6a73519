"""From one post to what each of its targets gets: the common texts and options, the platform's, and the target's own on top."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from clipcast.errors import InvalidRequest
from clipcast.publications.order import Metadata

_COMMON: Final = frozenset(Metadata.model_fields) - {"options", "clip_ids", "hashtags"}
"""Options that every platform may know; any other name is the platform's own."""


def metadata_for(common: Mapping[str, Any], clip_ids: Sequence[str], *layers: Mapping[str, Any]) -> Metadata:
    """The texts and options of one target: each layer wins over the one before it.

    Raises:
        InvalidRequest: an option has a value of the wrong kind; names it.
    """
    sets = {"clip_ids": list(clip_ids)} if len(clip_ids) > 1 else {}
    return _merged({**common, **sets}, {}, *layers)


def overlaid(metadata: Metadata, layer: Mapping[str, Any]) -> Metadata:
    """The same with these options over those that it has.

    Raises:
        InvalidRequest: an option has a value of the wrong kind; names it.
    """
    return _merged(metadata.model_dump(mode="json", exclude={"options"}), metadata.options, layer)


def _merged(common: Mapping[str, Any], options: Mapping[str, Any], *layers: Mapping[str, Any]) -> Metadata:
    merged: dict[str, Any] = dict(common)
    own: dict[str, Any] = dict(options)
    for layer in layers:
        for name, value in layer.items():
            (merged if name in _COMMON else own)[name] = value
    try:
        return Metadata.model_validate({**merged, "options": own})
    except ValidationError as error:
        raise InvalidRequest(" ".join(_sentence(problem["loc"], problem["msg"]) for problem in error.errors())) from None


def _sentence(place: tuple[int | str, ...], message: str) -> str:
    return f"The option {'.'.join(str(part) for part in place)} is not usable: {message}."
