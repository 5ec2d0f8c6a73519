"""Keys made on first start: once, for the owner's eyes only, and never overwritten."""

import base64
import subprocess
import sys
from pathlib import Path

import pytest

from clipcast.accounts.keys import (
    KeyFile,
    credential_key_file,
    load_or_create_secret,
    open_vault,
    readable_by_others,
    signing_key,
    warn_of_readable_keys,
)
from clipcast.accounts.vault import CredentialError
from clipcast.errors import ConfigurationError
from clipcast.log import hand_over
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


@pytest.mark.parametrize(
    "content",
    ["", "\n", "c2hvcnQ=", "not base64 at all!", FIRST[:-5], FIRST + FIRST, "\xff\xfe", f"{FIRST}\n{SECOND[:-1]}", f"{FIRST}\nold"],
)
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


def test_a_key_file_may_hold_several_keys(tmp_path: Path) -> None:
    """The first encrypts, all decrypt; blank lines and Windows' line ends do no harm."""
    (tmp_path / "credential.key").write_bytes(f"{SECOND}\r\n\r\n{FIRST}".encode())
    old = open_vault(load_settings(data_dir=tmp_path / "elsewhere", credential_keys=FIRST))
    new = open_vault(load_settings(data_dir=tmp_path / "elsewhere", credential_keys=SECOND))
    ring = open_vault(load_settings(data_dir=tmp_path))
    assert ring.decrypt(old.encrypt(b"token", "row"), "row") == b"token"
    assert new.decrypt(ring.encrypt(b"token", "row"), "row") == b"token"


def test_a_changed_file_is_read_once(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "some.key", "V")
    [first] = file.read()
    assert file.read_if_changed() is None
    KeyFile(tmp_path / "some.key", "V").put_new_first()
    changed = file.read_if_changed()
    assert changed is not None
    assert (len(changed), changed[1]) == (2, first)
    assert file.read_if_changed() is None


def test_every_write_of_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Also where it was readable by others before; and nothing else is left lying about but the lock."""
    file = KeyFile(tmp_path / "credential.key", "V")
    file.read()
    file.path.chmod(0o644)
    file.put_new_first()
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert {path.name for path in tmp_path.iterdir()} - {".credential.key.lock"} == {"credential.key"}


def test_there_is_no_file_where_the_keys_are_given(tmp_path: Path) -> None:
    assert credential_key_file(load_settings(data_dir=tmp_path, credential_keys=FIRST)) is None


@pytest.mark.skipif(sys.platform == "win32", reason="modes mean nothing there")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_is_told_at_start(tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int) -> None:
    hand_over()
    settings = load_settings(data_dir=tmp_path)
    open_vault(settings)
    assert readable_by_others(settings) == []
    (tmp_path / "credential.key").chmod(mode)
    warn_of_readable_keys(settings)
    assert [(one.path.name, one.mode) for one in readable_by_others(settings)] == [("credential.key", mode)]
    assert f"chmod 600 {tmp_path / 'credential.key'}" in caplog.text
