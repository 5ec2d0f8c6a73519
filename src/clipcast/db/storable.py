"""JSON and text that every later step can read and every database can hold."""

import json
import math
import re
from typing import Any, Final

MAX_DEPTH: Final = 32
"""How deep JSON may be nested; code that walks it recursively stays far from its limits."""

UNSTORABLE: Final = "It holds a NUL character or half of a surrogate pair, which no database keeps."

_NO_TEXT: Final = re.compile("[\x00\ud800-\udfff]")


def is_storable(text: str) -> bool:
    r"""Whether every database can hold this text.

    >>> is_storable("caf\u00e9"), is_storable("caf\x00"), is_storable("caf\ud800")
    (True, False, False)
    """
    return _NO_TEXT.search(text) is None


def storable(text: str, longest: int | None = None) -> str:
    r"""As much of the text as a column of `longest` characters can hold, with a mark for each character that none can.

    >>> storable("one\x00two", 5)
    'one�t'
    """
    return _NO_TEXT.sub("\N{REPLACEMENT CHARACTER}", text)[:longest]


def json_fault(given: bytes | str) -> str | None:
    r"""Why this is not JSON that Clipcast can work with, as a sentence without the value; None when it is.

    >>> json_fault(b'{"caption": "hi"}')
    >>> json_fault(b'{"caption": ')
    'It is not JSON: Expecting value at character 12.'
    >>> json_fault(b'[1e999]')
    'It holds a number that is not finite.'
    """
    try:
        document = json.loads(given)
    except json.JSONDecodeError as error:
        return f"It is not JSON: {error.msg} at character {error.pos}."
    except UnicodeDecodeError:
        return "It is not JSON: it is not encoded as UTF-8."
    except RecursionError:
        return "It is nested too deeply."
    except ValueError:
        return "It holds a number with too many digits."
    return _unusable(document)


def _unusable(document: Any) -> str | None:
    level = [document]
    for _ in range(MAX_DEPTH):
        for value in level:
            if isinstance(value, str) and not is_storable(value):
                return UNSTORABLE
            if isinstance(value, float) and not math.isfinite(value):
                return "It holds a number that is not finite."
        level = [part for value in level for part in _parts(value)]
    return "It is nested too deeply." if level else None


def _parts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    return value if isinstance(value, list) else []
