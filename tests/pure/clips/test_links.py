from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import URLSafeSerializer
from pydantic import SecretStr

from clipcast.clips.links import Links
from clipcast.errors import NotFound

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def links(now: datetime = NOON, secret: str = "secret") -> Links:
    return Links(SecretStr(secret), lambda: now)


def test_a_link_leads_back_to_its_media_until_it_expires() -> None:
    signed = links().sign("clip-1:jpeg", HOUR)

    assert links(NOON + timedelta(minutes=59, seconds=59)).verify(signed) == "clip-1:jpeg"
    for late in (HOUR, timedelta(days=365)):
        with pytest.raises(NotFound, match="expired"):
            links(NOON + late).verify(signed)


def test_another_key_or_another_purpose_does_not_pass() -> None:
    elsewhere = URLSafeSerializer("secret", salt="another purpose").dumps(["clip-1", int(NOON.timestamp()) + 60])
    for signed in (links(secret="other").sign("clip-1", HOUR), elsewhere):
        with pytest.raises(NotFound, match="not valid"):
            links().verify(str(signed))


@given(st.data())
def test_a_link_with_one_changed_letter_does_not_pass(data: st.DataObject) -> None:
    signed = links().sign("clip-1", HOUR)
    at = data.draw(st.integers(0, len(signed) - 2))  # the last letter of base64 holds bits that mean nothing
    letter = data.draw(st.sampled_from("ABCabc019-_.").filter(lambda drawn: drawn != signed[at]))
    with pytest.raises(NotFound):
        links().verify(signed[:at] + letter + signed[at + 1 :])


@given(st.text(max_size=60))
def test_any_text_is_not_found(text: str) -> None:
    with pytest.raises(NotFound):
        links().verify(text)


def test_a_link_fits_into_one_path_segment() -> None:
    assert set(links().sign("0" * 36 + ":jpeg", HOUR)) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
