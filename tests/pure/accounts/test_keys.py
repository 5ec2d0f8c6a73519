"""Keys made on first start: once, for the owner's eyes only, and never overwritten."""

import base64
import subprocess
import sys
from pathlib import Path

import pytest

from clipcast.accounts.keys import load_or_create_secret, open_vault, signing_key
from clipcast.accounts.vault import CredentialError
from clipcast.errors import ConfigurationError
from clipcast.settings import load_settings

FIRST, SECOND = (base64.b64encode(letter * 32).decode() for letter in (b"a", b"b"))


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    key = load_or_create_secret(tmp_path / "new", "some.key", "CLIPCAST_SOME_KEY")
    assert len(key) == 32
    assert load_or_create_secret(tmp_path / "new", "some.key", "CLIPCAST_SOME_KEY") == key
    assert (tmp_path / "new" / "some.key").stat().st_mode & 0o777 == 0o600
    assert load_or_create_secret(tmp_path / "elsewhere", "some.key", "CLIPCAST_SOME_KEY") != key


def test_processes_that_start_together_agree_on_one_key(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from clipcast.accounts.keys import load_or_create_secret;"
        "print(load_or_create_secret(pathlib.Path(sys.argv[1]), 'some.key', 'V').hex())"
    )
    processes = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True) for _ in range(6)]
    keys = {process.communicate(timeout=60)[0] for process in processes}
    assert len(keys) == 1
    assert keys.pop().strip() == load_or_create_secret(tmp_path, "some.key", "V").hex()


@pytest.mark.parametrize("content", ["", "c2hvcnQ=", "not base64 at all!", FIRST[:-5], FIRST + FIRST, "\xff\xfe"])
def test_an_unusable_key_file_is_named_and_left_alone(tmp_path: Path, content: str) -> None:
    path = tmp_path / "credential.key"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(ConfigurationError, match="CLIPCAST_CREDENTIAL_KEYS") as caught:
        open_vault(load_settings(data_dir=tmp_path))
    assert str(path) in str(caught.value)
    assert path.read_bytes() == content.encode("latin-1")


def test_a_data_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    with pytest.raises(ConfigurationError, match="CLIPCAST_DATA_DIR"):
        signing_key(load_settings(data_dir=tmp_path / "file"))


def test_given_keys_are_used_and_no_file_is_made(tmp_path: Path) -> None:
    old = open_vault(load_settings(data_dir=tmp_path, credential_keys=FIRST))
    ring = open_vault(load_settings(data_dir=tmp_path, credential_keys=f" {SECOND} , {FIRST} "))
    assert ring.decrypt(old.encrypt(b"token", "row"), "row") == b"token"
    with pytest.raises(CredentialError):
        old.decrypt(ring.encrypt(b"token", "row"), "row")
    assert signing_key(load_settings(data_dir=tmp_path, secret_key="sixteen letters!")) == b"sixteen letters!"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("keys", ["short", f"{FIRST},short", ",", f"{FIRST};{SECOND}"])
def test_unusable_given_keys_are_refused_without_repeating_them(tmp_path: Path, keys: str) -> None:
    with pytest.raises(ConfigurationError, match="CLIPCAST_CREDENTIAL_KEYS") as caught:
        open_vault(load_settings(data_dir=tmp_path, credential_keys=keys))
    assert FIRST not in str(caught.value)


def test_a_short_secret_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="CLIPCAST_SECRET_KEY"):
        signing_key(load_settings(data_dir=tmp_path, secret_key="guessable"))
