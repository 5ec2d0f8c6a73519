"""What a platform says may repeat what it was sent: nothing of that goes on into a log, the ledger, an answer or a metric."""

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Final
from urllib.parse import quote, quote_plus, unquote

from clipcast.concealed import MASK
from clipcast.errors import ClipcastError, PlatformError
from clipcast.log import redact
from clipcast.platforms.base import Answer, Credentials

_WORDS: Final = ("sentence", "platform_message", "log_id", "raw")
_CODE: Final = re.compile(r"[\w.:/ -]{1,100}")
"""What a platform's code may look like; anything else is no code, and would not fit where codes are kept and counted."""
_LOG_ID_CHARACTERS: Final = 200
_SHORTEST_SECRET: Final = 8
_DEEPEST: Final = 20


@contextmanager
def discreet(credentials: Credentials, answers: Collection[Answer] = ()) -> Iterator[None]:
    """An error that is raised within shows none of these credentials, wherever the platform put them, nor a token that an answer brought.

    `answers` is looked at when there is an error, so that it may grow meanwhile.
    """
    try:
        yield
    except ClipcastError as error:
        secrets = {*credentials.values.values(), *(token for answer in answers for token in _tokens(answer.json()))}
        if isinstance(error, PlatformError):
            _conceal(error, secrets)
        else:
            error.args = tuple(without(said, secrets) if isinstance(said, str) else said for said in error.args)
        raise


def without(text: str, secrets: Collection[str]) -> str:
    """The text with each of the secrets masked, as it is or as an address has it, and with whatever else has the shape of one.

    >>> without("Token abcd/efgh of maker is unknown: ?t=abcd%2Fefgh", ["abcd/efgh"])
    'Token *** of maker is unknown: ?t=***'
    """
    long = {secret for secret in secrets if len(secret) >= _SHORTEST_SECRET}
    forms = {form for secret in long for form in (secret, unquote(secret), quote(secret, safe=""), quote_plus(secret))}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, MASK)
    return redact(text)


def _conceal(error: PlatformError, secrets: Collection[str]) -> None:
    for name in _WORDS:
        setattr(error, name, without(getattr(error, name), secrets))
    error.log_id = error.log_id[:_LOG_ID_CHARACTERS]
    code = without(error.platform_code, secrets)
    error.platform_code = code if _CODE.fullmatch(code) else ""


def _tokens(content: object, depth: int = 0) -> Iterator[str]:
    """Every text in an answer's JSON whose name says that it is a token, however deep it lies."""
    if depth > _DEEPEST:
        return
    if isinstance(content, Mapping):
        for name, value in content.items():
            if isinstance(value, str) and str(name).endswith("token"):
                yield value
            else:
                yield from _tokens(value, depth + 1)
    elif isinstance(content, list):
        for item in content:
            yield from _tokens(item, depth + 1)
