"""Query parameters, strictly: the documented ones and nothing else."""

import re
from collections.abc import Collection, Mapping
from typing import Final
from urllib.parse import parse_qsl

from clipcast_simulator.exchange import Request
from clipcast_simulator.youtube.errors import Refusal

#: Parameters of every method (discovery document of 2026-11-04).
_STANDARD: Final = frozenset(
    {
        *("$.xgafv", "access_token", "alt", "callback", "fields", "key", "oauth_token", "prettyPrint"),
        *("quotaUser", "uploadType", "upload_protocol"),
    }
)
_PARTNER: Final = frozenset({"onBehalfOfContentOwner", "onBehalfOfContentOwnerChannel"})

PARTS: Final = frozenset(
    {
        *("brandPartner", "contentDetails", "fileDetails", "id", "liveStreamingDetails", "localizations"),
        *("paidProductPlacementDetails", "player", "processingDetails", "recordingDetails", "snippet", "statistics"),
        *("status", "suggestions", "topicDetails"),
    }
)

_SWITCHES: Final = frozenset({"notifySubscribers", "autoLevels", "stabilize", "mine", "managedByMe", "mySubscribers"})
_MOST_IDS: Final = 50
_PAGE: Final = re.compile(r"CAU(\d{1,9})")

Query = Mapping[str, tuple[str, ...]]


def read_query(request: Request, allowed: Collection[str]) -> Query:
    """Parse the query; raises Refusal for what the method does not know."""
    found: dict[str, tuple[str, ...]] = {}
    for name, value in parse_qsl(request.query, keep_blank_values=True):
        found[name] = (*found.get(name, ()), value)
    for name, values in found.items():
        if name not in _STANDARD and name not in _PARTNER and name not in allowed:
            raise Refusal("unexpectedParameter", f"Unexpected parameter: {name}", name)
        if name in _SWITCHES and values not in (("true",), ("false",)):
            raise invalid(name)
    if found.get("alt", ("json",)) != ("json",):
        raise invalid("alt")
    if found.keys() & _PARTNER:
        raise Refusal("accountDelegationForbidden")
    return found


def invalid(name: str) -> Refusal:
    """Return the refusal of a parameter's value."""
    return Refusal("invalidParameter", f"Invalid value for parameter: {name}", name)


def single(query: Query, name: str) -> str | None:
    """Return a parameter's only value."""
    values = query.get(name)
    if values is None:
        return None
    if len(values) != 1:
        raise invalid(name)
    return values[0]


def listed(query: Query, name: str) -> tuple[str, ...]:
    """Return the values of a comma-separated or repeated parameter, each once."""
    split = (value for text in query.get(name, ()) for value in text.split(","))
    return tuple(dict.fromkeys(split))


def read_parts(query: Query, allowed: Collection[str] = PARTS) -> tuple[str, ...]:
    """Return the parts that are asked for; raises Refusal."""
    if "part" not in query:
        raise Refusal("required", "Required parameter: part", "part", status=400)
    parts = listed(query, "part")
    if unknown := [part for part in parts if part not in allowed]:
        raise Refusal("unknownPart", f"'{unknown[0]}'")
    return parts


def read_filter(query: Query, filters: Collection[str]) -> str:
    """Return the one filter that was given; raises Refusal for none, or several."""
    given = [name for name in filters if name in query]
    if not given:
        expected = ", ".join(sorted(filters))
        raise Refusal("missingRequiredParameter", f"No filter selected. Expected one of: {expected}")
    if len(given) > 1:
        raise Refusal("incompatibleParameters", f"Incompatible parameters specified in the request: {', '.join(given)}")
    return given[0]


def read_ids(query: Query) -> tuple[str, ...]:
    """Return up to 50 ids."""
    found = listed(query, "id")
    if len(found) > _MOST_IDS:
        raise invalid("id")
    return found


def read_page(query: Query) -> tuple[int, int]:
    """Return where the page begins, and how many results it may have: 5, or up to 50."""
    text, token = single(query, "maxResults") or "5", single(query, "pageToken")
    if not text.isdecimal() or int(text) > 50:
        raise invalid("maxResults")
    match = _PAGE.fullmatch(token or "CAU0")
    if match is None:
        raise Refusal("invalidParameter", "The request specifies an invalid page token.", "pageToken")
    return int(match[1]), int(text)


def page_token(start: int) -> str:
    """Return the token of a page."""
    return f"CAU{start}"
