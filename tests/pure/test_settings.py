"""Settings: read once, from variables or files, and a bad value names the variable and never repeats a secret."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from clipcast.errors import ConfigurationError
from clipcast.settings import PREFIX, Settings, load_settings

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith(PREFIX):
            monkeypatch.delenv(name)


def test_nothing_has_to_be_set() -> None:
    settings = load_settings()
    assert settings.simulation == "fallback"
    assert settings.simulator_failure_rate == 0.1
    assert settings.database == f"sqlite:///{Path('clipcast-data').absolute() / 'clipcast.sqlite3'}"


def test_variables_are_read_and_arguments_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIPCAST_WORKER_THREADS", "3")
    monkeypatch.setenv("CLIPCAST_DATABASE_URL", "postgresql://db/clipcast")
    monkeypatch.setenv("CLIPCAST_FETCH_ALLOW_HOSTS", "NAS.local, backup ,")
    settings = load_settings()
    assert settings.worker_threads == 3
    assert settings.database == "postgresql://db/clipcast"
    assert settings.fetch_allow_hosts == {"nas.local", "backup"}
    assert load_settings(worker_threads=5).worker_threads == 5


def test_an_empty_variable_is_no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIPCAST_WORKER_THREADS", "")
    assert load_settings().worker_threads == 8


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_can_come_from_a_file(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As container platforms hand out secrets: a file with the value and usually a final newline."""
    examples: dict[str, str] = {"simulation": "always", "log_format": "json", "log_level": "debug", "fetch_allow_hosts": "nas"}
    examples |= {"broker_url": "amqp://b", "redis_url": "redis://r"}
    kind = Settings.model_fields[name].annotation
    number = "0.25" if kind is float else "7"
    example = examples.get(name, number if kind in {int, float} else "https://x.example" if name.endswith("url") else "a-value")
    (tmp_path / "value").write_text(f"{example}\n")
    monkeypatch.setenv(f"{PREFIX}{name.upper()}_FILE", str(tmp_path / "value"))
    assert _spelled(getattr(load_settings(), name)) == example


def _spelled(value: Any) -> str:
    if isinstance(value, frozenset):
        return ",".join(value)
    return str(value.get_secret_value() if hasattr(value, "get_secret_value") else value)


@pytest.mark.parametrize(
    ("content", "complaint"), [(None, "cannot be read"), (b"", "is empty"), (b"\n", "is empty"), (b"\xff\xfe", "not text")]
)
def test_an_unusable_file_is_named(content: bytes | None, complaint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("CLIPCAST_SECRET_KEY_FILE", str(path))
    with pytest.raises(ConfigurationError, match="CLIPCAST_SECRET_KEY_FILE") as caught:
        load_settings()
    assert str(path) in str(caught.value)
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("simulation", "sometimes"),
        ("worker_threads", "many"),
        ("worker_threads", "0"),
        ("simulator_failure_rate", "1.5"),
        ("public_url", "clips.example.com"),
        ("public_url", "https://"),
        ("tiktok_api_url", "ftp://tiktok"),
        ("log_level", "loud"),
        ("broker_url", "sqs://somewhere"),
        ("redis_url", "amqp://somewhere"),
        ("fetch_max_bytes", "-1"),
    ],
)
def test_a_bad_value_names_its_variable_in_a_sentence(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}{name.upper()}", value)
    with pytest.raises(ConfigurationError, match=rf"^{PREFIX}{name.upper()} is not usable: .+[^.]\.$"):
        load_settings()


@pytest.mark.parametrize("address", ["/clipcast", "/clipcast/", "/?a=b", "?a=b", "?", "#top", "/#"])
def test_a_public_address_is_a_whole_host(address: str) -> None:
    """Below a path no account could be connected, and nobody could sign in."""
    with pytest.raises(ConfigurationError, match=r"^CLIPCAST_PUBLIC_URL is not usable: .*host name of its own"):
        load_settings(public_url=f"https://clips.example.com{address}")
    with pytest.raises(ConfigurationError, match="user name"):
        load_settings(public_url="https://ana:secret@clips.example.com")


@pytest.mark.parametrize(
    "address", ["https://clips.example.com", "https://clips.example.com/", "http://[::1]:8000", "http://localhost:8000/"]
)
def test_a_slash_at_the_end_of_the_public_address_is_nothing(address: str) -> None:
    assert load_settings(public_url=address).public_url == address.rstrip("/")


def test_several_bad_values_are_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(worker_threads=0, simulation="sometimes")
    assert "CLIPCAST_WORKER_THREADS" in str(caught.value)
    assert "CLIPCAST_SIMULATION" in str(caught.value)


def test_the_shortest_delay_is_not_above_the_longest() -> None:
    with pytest.raises(ConfigurationError, match=r"^CLIPCAST_SIMULATOR_DELAY_MIN_S must not be above"):
        load_settings(simulator_delay_min_s=2, simulator_delay_max_s=1)


def test_a_misspelled_argument_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="CLIPCAST_WORKER_THREDS"):
        load_settings(worker_threds=3)


def test_a_bad_value_is_not_repeated_anywhere_in_the_error() -> None:
    """A secret that was put into the wrong variable must not end in the log."""
    with pytest.raises(ConfigurationError) as caught:
        load_settings(public_url="s3cr3t-value")
    assert "s3cr3t" not in str(caught.value)
    assert "s3cr3t" not in str(caught.value.__cause__)


def test_settings_are_frozen_and_print_no_secret() -> None:
    settings = load_settings(
        secret_key="s3cr3t", credential_keys="s3cr3t", tiktok_client_secret="s3cr3t", database_url="postgresql://u:s3cr3t@h/d"
    )
    assert "s3cr3t" not in repr(load_settings(broker_url="amqp://u:s3cr3t@h", redis_url="redis://:s3cr3t@h"))
    assert "s3cr3t" not in repr(settings)
    assert "s3cr3t" not in str(settings)
    with pytest.raises(ValidationError):
        settings.secret_key = settings.credential_keys  # type: ignore[misc]  # that it is refused is the test


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_documented(name: str) -> None:
    description = Settings.model_fields[name].description or ""
    assert re.search(r"\w{3,}.*\.$", description), "a setting says what it means in a sentence"
    if not REFERENCE.exists():
        pytest.skip("docs/reference/settings.md has not been generated (make docs)")
    assert f"{PREFIX}{name.upper()}" in REFERENCE.read_text(encoding="utf-8")
