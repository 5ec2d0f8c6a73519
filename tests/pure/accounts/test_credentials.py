"""Credentials are used by name; whoever shows all of them shows none."""

import copy
import dataclasses
import io
import json
import logging
import pickle
import pprint
import string
import traceback
from collections.abc import Callable
from typing import Any

import pytest
import structlog

from clipcast.log import configure, redacted
from clipcast.platforms.base import Credentials
from clipcast.settings import load_settings

SECRET = "s3cr3t-value"
HELD = Credentials({"access_token": SECRET, "open_id": SECRET, "anything_else": SECRET})

SHOWN: dict[str, Callable[[Credentials], Any]] = {
    "repr": repr,
    "str": str,
    "f-string": lambda held: f"{held} {held!r} {held!s} {held.values}",
    "percent": lambda held: "%s %r %s" % (held, held, held.values),  # noqa: UP031  # the old form is what is tried
    "format": lambda held: string.Formatter().format("{} {0.values}".replace("{}", "{0}"), held),
    "asdict": lambda held: repr(dataclasses.asdict(held)),
    "astuple": lambda held: repr(dataclasses.astuple(held)),
    "deepcopy": lambda held: repr(copy.deepcopy(held)) + repr(copy.copy(held.values)),
    "replace": lambda held: repr(dataclasses.replace(held, expires_at=None)),
    "pprint": pprint.pformat,
    "redacted": lambda held: repr(redacted({"event": held, "values": held.values, "list": [held.values]})),
    "container": lambda held: repr([held, {"held": held}, (held.values,)]),
}


def stumble(held: Credentials) -> None:
    """A bug, with the secrets among its locals."""
    values = held.values
    raise ValueError(f"{held} and {values}")


@pytest.mark.parametrize("way", SHOWN)
def test_no_way_of_showing_them_shows_a_value(way: str) -> None:
    shown = SHOWN[way](HELD)
    assert SECRET not in shown
    assert "***" in shown


def test_no_trace_shows_a_value_not_even_with_its_locals() -> None:
    with pytest.raises(ValueError, match="access_token") as caught:
        stumble(HELD)
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "values = " in shown
    assert SECRET not in shown


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_log_shows_a_value(log_format: str) -> None:
    stream, settings = io.StringIO(), load_settings(log_format=log_format, log_level="debug")
    configure(settings, stream)
    structlog.get_logger("tried").info("tried", credentials=HELD, values=HELD.values, inside=[{"held": HELD}])
    logging.getLogger("library").warning("%s %r", HELD, HELD.values)
    try:
        stumble(HELD)
    except ValueError:
        structlog.get_logger("tried").exception("failed", held=HELD)
    assert len(stream.getvalue().splitlines()) >= 3
    assert SECRET not in stream.getvalue()


@pytest.mark.parametrize(
    "take_away", [pickle.dumps, json.dumps, lambda held: pickle.dumps(held.values), lambda held: json.dumps(held.values)]
)
def test_they_leave_the_process_on_purpose_only(take_away: Callable[[Credentials], Any]) -> None:
    with pytest.raises(TypeError):
        take_away(HELD)


def test_they_are_read_by_name_and_compared() -> None:
    assert HELD.get("access_token") == SECRET
    assert HELD.get("refresh_token") == ""
    assert Credentials(dict(HELD.values)) == HELD
    assert Credentials({"access_token": SECRET}) != HELD
    assert (len(HELD.values), sorted(HELD.values)) == (3, ["access_token", "anything_else", "open_id"])


def test_what_was_given_can_change_without_them() -> None:
    given = {"access_token": "act.1"}
    held = Credentials(given)
    given["access_token"] = "act.2"
    assert held.get("access_token") == "act.1"
