"""Logs: one line per event with a stable name, for people or machines, and never a secret."""

import io
import json
import logging
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from clipcast.log import configure, get_logger, redact, redacted
from clipcast.settings import load_settings

TOKENS = st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"), min_size=12, max_size=60).map(
    lambda text: f"s3cr3t{text}"
)


def logged(**given: Any) -> io.StringIO:
    stream = io.StringIO()
    configure(load_settings(data_dir=Path("unused"), **given), stream)
    return stream


def test_events_are_json_with_a_name_a_time_and_their_fields() -> None:
    stream = logged(log_format="json")
    with structlog.contextvars.bound_contextvars(publication="p1"):
        get_logger("clipcast.driver").info("publication.published", duration_s=1.5, caption="Grüße")
    line = json.loads(stream.getvalue())
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "publication.published",
        "level": "info",
        "logger": "clipcast.driver",
        "publication": "p1",
        "duration_s": 1.5,
        "caption": "Grüße",
    }


def test_what_is_not_a_terminal_gets_json_unless_told_otherwise() -> None:
    automatic, text = logged(), None
    get_logger("x").warning("disk.nearly_full", free_bytes=7)
    assert json.loads(automatic.getvalue())["free_bytes"] == 7
    text = logged(log_format="text")
    get_logger("x").warning("disk.nearly_full", free_bytes=7)
    assert "disk.nearly_full" in text.getvalue()
    assert "free_bytes=7" in text.getvalue()


def test_less_severe_events_are_left_out() -> None:
    stream = logged(log_level="warning")
    get_logger("x").info("not.wanted")
    assert stream.getvalue() == ""


def test_configuring_twice_writes_each_line_once() -> None:
    logged(log_format="json")
    stream = logged(log_format="json")
    get_logger("x").info("once.only")
    assert len(stream.getvalue().splitlines()) == 1


def test_libraries_speak_through_the_same_stream() -> None:
    stream = logged(log_format="json")
    logging.getLogger("uvicorn.error").info("Started server process [%d]", 7)
    logging.getLogger("urllib3.connectionpool").warning("Retrying %s", "https://x/upload?upload_token=s3cr3t-value")
    logging.getLogger("alembic.runtime.migration").info("chatter")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["Started server process [7]", "Retrying https://x/upload?upload_token=***"]
    assert lines[1]["logger"] == "urllib3.connectionpool"


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_secrets_are_masked_wherever_they_are(log_format: str) -> None:
    stream = logged(log_format=log_format, log_level="debug")
    log = get_logger("x")
    log.info("fields", access_token="s3cr3t", headers={"Authorization": "Bearer s3cr3t"}, nested=[{"client_secret": "s3cr3t"}])
    log.info("act.s3cr3t0000 in the event itself", url="https://x/upload?upload_id=1&upload_token=s3cr3t")
    logging.getLogger("lib").error("told %s", {"refresh_token": "rft.s3cr3t0000"})
    try:
        int("https://x/?code=s3cr3t and act.s3cr3t0000")
    except ValueError:
        log.exception("something.broke")
        logging.getLogger("lib").exception("broke")
    assert "s3cr3t" not in stream.getvalue()
    assert "something.broke" in stream.getvalue()
    assert "Traceback" in stream.getvalue()


@given(token=TOKENS)
def test_known_shapes_of_secrets_are_masked(token: str) -> None:
    for text in (
        f"act.{token}",
        f"rft.{token}!4.va",
        f"clt.{token}",
        f"ya29.{token}",
        f"Authorization: Bearer {token}",
        f"{{'Authorization': 'Bearer {token}'}}",
        f"https://open-upload.tiktokapis.com/upload?upload_id=73&upload_token={token}",
        f"client_key=ck&client_secret={token}&grant_type=refresh_token",
        f'{{"access_token": "{token}", "open_id": "1"}}',
        f"{{'refresh_token': '{token}'}}",
        f"{{'password': '{token}'}}",
        f"user=marina&password={token}",
        f"password:{token}",
        f"https://clips.example.com/media/{token}.1700000000.{token}",
        f"https://bucket.s3.amazonaws.com/clip.mp4?X-Amz-Signature={token}",
        f"https://www.googleapis.com/upload?uploadType=resumable&access_token={token}",
        f"https://clips.example.com/oauth/tiktok/callback?code={token}&state={token}",
        f"code={token}&grant_type=authorization_code",
        f"postgresql://clipcast:{token}@db.example.com/clipcast",
    ):
        assert "s3cr3t" not in redact(text), text


@pytest.mark.parametrize(
    "text",
    [
        "TikTok refused the video: the chunk size is invalid.",
        "state=processing code=invalid_params log_id=20251024215627D0E0",
        "https://www.tiktok.com/@maker/video/7301234567890123456",
        "v_pub_url~v2-1.7301234567890123456",
        "react.components and the act.",
        "2026-03-01T12:00:00Z",
        "Your name or email address is no password: others know it.",
        "/media/a-disk-with-a-long-name.2026/the-sea-in-the-evening.mp4",
    ],
)
def test_ordinary_text_stays_readable(text: str) -> None:
    assert redact(text) == text


def test_ordinary_fields_stay() -> None:
    fields = {"publish_log_id": "1", "token_was_refreshed": True, "code": "invalid_params", "state": "processing", "count": 3, "at": None}
    assert redacted(fields) == fields
