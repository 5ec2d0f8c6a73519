"""Rotating the keys: everything that is sealed is encrypted anew, and a key goes only when nobody can need it any more."""

import base64
import os
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import LargeBinary, select, text

from clipcast.accounts import store
from clipcast.accounts.credentials import get_account_credentials, set_account_credentials
from clipcast.accounts.keys import KeyFile
from clipcast.accounts.models import PendingLink, SocialAccount
from clipcast.accounts.rotation import GRACE, SEALED, Rotation, keys_in_use, rotate
from clipcast.accounts.vault import CredentialError, Vault
from clipcast.clock import system_clock
from clipcast.db.base import Base
from clipcast.db.engine import Database
from clipcast.errors import ConfigurationError
from clipcast.platforms.base import Credentials
from conftest import MovableClock

OLD, NEW = b"o" * 32, b"n" * 32
ACCOUNTS = 3


@pytest.fixture
def filled(db: Database, clock: MovableClock) -> Callable[[Vault], None]:
    """Seals three accounts and a consent under way in a vault."""

    def fill(vault: Vault) -> None:
        now = clock()
        with db.writing() as session:
            for number in range(ACCOUNTS):
                row = SocialAccount(id=f"a{number}", platform="tiktok", username=f"maker{number}", created_at=now, updated_at=now)
                store.add(session, row)
            session.add(pending(vault, clock))
        for number in range(ACCOUNTS):
            set_account_credentials(db, f"a{number}", token(number), vault, now)

    return fill


def token(number: int) -> Credentials:
    return Credentials({"access_token": f"act.{number}"})


def pending(vault: Vault, clock: MovableClock) -> PendingLink:
    return PendingLink(
        id="p1",
        platform="tiktok",
        state_sha256="s",
        browser_sha256="b",
        redirect_uri="http://127.0.0.1/oauth/tiktok/callback",
        sealed=vault.encrypt(b"verifier", "pending_links/p1/sealed"),
        actor_id="person:1",
        created_at=clock(),
        expires_at=clock(),
    )


def all_readable(db: Database, vault: Vault) -> bool:
    with db.reading() as session:
        sealed = session.scalars(select(PendingLink.sealed)).one()
    read = [get_account_credentials(db, f"a{number}", vault) for number in range(ACCOUNTS)]
    return read == list(map(token, range(ACCOUNTS))) and vault.decrypt(sealed, "pending_links/p1/sealed") == b"verifier"


def counts(done: Rotation) -> tuple[int, int]:
    return done.rewritten, done.unreadable


def test_everything_that_is_stored_encrypted_is_listed() -> None:
    """A new column of ciphertext that rotation did not know would become unreadable with the old key's end."""
    encrypted = {(table.name, column.name) for table in Base.metadata.tables.values() for column in table.columns if is_binary(column.type)}
    assert {(place.model.__tablename__, place.column.key) for place in SEALED} == encrypted


def is_binary(kind: object) -> bool:
    return isinstance(kind, LargeBinary)


def test_given_keys_rotate_to_the_first(db: Database, clock: MovableClock, filled: Callable[[Vault], None]) -> None:
    """And the old one is no longer needed, which is what its owner wants to know. A second time there is nothing to do."""
    filled(Vault([OLD]))
    ring = Vault([NEW, OLD])
    [_, before] = keys_in_use(db, ring)
    assert before.rows == ACCOUNTS + 1
    done = rotate(db, ring, None, clock())
    assert (counts(done), done.made_key, done.dropped) == ((ACCOUNTS + 1, 0), False, ())
    assert [(key.rows, key.known, key.first) for key in done.keys] == [(ACCOUNTS + 1, True, True), (0, True, False)]
    assert all_readable(db, Vault([NEW]))
    assert counts(rotate(db, ring, None, clock())) == (0, 0)


def test_only_the_ciphertext_changes(db: Database, clock: MovableClock, filled: Callable[[Vault], None]) -> None:
    filled(Vault([OLD]))
    before = row(db, "a0")
    clock.advance(60)
    rotate(db, Vault([NEW, OLD]), None, clock())
    after = row(db, "a0")
    changed = {column.name for column in SocialAccount.__table__.columns if before[column.name] != after[column.name]}
    assert changed == {"credentials"}


def test_a_consent_that_is_spent_has_nothing_left_to_encrypt(db: Database, clock: MovableClock) -> None:
    with db.writing() as session:
        link = pending(Vault([OLD]), clock)
        link.sealed = b""
        session.add(link)
    assert counts(rotate(db, Vault([NEW, OLD]), None, clock())) == (0, 0)


def row(db: Database, account_id: str) -> dict[str, object]:
    with db.reading() as session:
        found = store.get(session, account_id)
        return {column.name: getattr(found, column.name) for column in SocialAccount.__table__.columns}


def test_what_cannot_be_decrypted_stays_as_it_is_and_is_counted(db: Database, clock: MovableClock, filled: Callable[[Vault], None]) -> None:
    """Damaged, swapped with another row, or under a lost key: it blocks nothing else."""
    filled(Vault([OLD]))
    lost = Vault([b"x" * 32]).encrypt(b"{}", "social_accounts/a2/credentials")
    with db.writing() as session:
        first, second, third = (store.get(session, f"a{number}") for number in range(3))
        first.credentials = second.credentials
        third.credentials = lost
    done = rotate(db, Vault([NEW, OLD]), None, clock())
    assert counts(done) == (2, 2)
    assert [(key.known, key.rows) for key in done.keys] == [(True, 2), (True, 1), (False, 1)]
    with pytest.raises(CredentialError):
        get_account_credentials(db, "a0", Vault([NEW, OLD]))
    assert get_account_credentials(db, "a1", Vault([NEW])) == token(1)
    with db.reading() as session:
        assert store.get(session, "a2").credentials == lost


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_refresh_that_holds_the_row_wins(db: Database, clock: MovableClock, filled: Callable[[Vault], None]) -> None:
    """The rotation waits for its commit, and encrypts what it stored."""
    filled(Vault([OLD]))
    ring = Vault([NEW, OLD])
    with db.writing() as session:
        account = store.get_for_update(session, "a0")
        rotating = threading.Thread(target=rotate, args=(db, ring, None, clock()))
        rotating.start()
        until_somebody_waits(db)
        account.credentials = Vault([OLD]).encrypt(b'{"access_token": "act.fresh"}', "social_accounts/a0/credentials")
    rotating.join(30)
    assert get_account_credentials(db, "a0", Vault([NEW])) == Credentials({"access_token": "act.fresh"})


def until_somebody_waits(db: Database) -> None:
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = :name")
    name = db.engine.url.query["application_name"]
    for _ in range(3000):
        with db.reading() as session:
            if session.scalar(waiting, {"name": name}):
                return
    pytest.fail("nobody ever waited for the row")


# A generated key file


@pytest.fixture
def file(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "credential.key", "CLIPCAST_CREDENTIAL_KEYS")


def vault_of(file: KeyFile) -> Vault:
    """As another process has it."""
    own = KeyFile(file.path, "CLIPCAST_CREDENTIAL_KEYS")
    return Vault(own.read(), own.read_if_changed)


def aged(file: KeyFile) -> None:
    """Pretend that the last rotation is long ago."""
    long_ago = (system_clock() - GRACE - timedelta(minutes=1)).timestamp()
    os.utime(file.path, (long_ago, long_ago))


def test_a_generated_key_is_followed_by_a_new_one(db: Database, filled: Callable[[Vault], None], file: KeyFile) -> None:
    """A server that runs meanwhile reads what is new, and what it writes afterwards is under the new key."""
    server = vault_of(file)
    filled(server)
    [before] = file.read()
    done = rotate(db, vault_of(file), file, system_clock())
    assert (counts(done), done.made_key, done.dropped) == ((ACCOUNTS + 1, 0), True, ())
    new, kept = file.read()
    assert kept == before
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert all_readable(db, Vault([new]))
    assert all_readable(db, server)
    set_account_credentials(db, "a0", token(0), server, system_clock())
    assert get_account_credentials(db, "a0", Vault([new])) == token(0)


def test_a_server_that_only_writes_uses_the_new_key_too(db: Database, filled: Callable[[Vault], None], file: KeyFile) -> None:
    server = vault_of(file)
    filled(server)
    rotate(db, vault_of(file), file, system_clock())
    set_account_credentials(db, "a0", token(0), server, system_clock())
    assert get_account_credentials(db, "a0", Vault(file.read()[:1])) == token(0)


def test_a_rotation_that_was_interrupted_is_finished_before_another_key_is_made(
    db: Database, filled: Callable[[Vault], None], file: KeyFile
) -> None:
    filled(vault_of(file))
    file.put_new_first()  # and then it was killed
    done = rotate(db, vault_of(file), file, system_clock())
    assert (counts(done), done.made_key) == ((ACCOUNTS + 1, 0), False)
    assert len(file.read()) == 2
    assert all_readable(db, Vault(file.read()[:1]))


def test_an_old_key_goes_with_the_rotation_after_the_next_at_the_earliest(
    db: Database, filled: Callable[[Vault], None], file: KeyFile
) -> None:
    """The one before the newest always stays; and so do all while the last rotation is less than an hour old."""
    filled(vault_of(file))
    [first] = file.read()
    rotate(db, vault_of(file), file, system_clock())
    assert rotate(db, vault_of(file), file, system_clock()).dropped == ()
    assert file.read()[-1] == first
    aged(file)
    done = rotate(db, vault_of(file), file, system_clock())
    assert len(done.dropped) == 2
    assert (len(file.read()), first in file.read()) == (2, False)
    assert all_readable(db, vault_of(file))


def test_a_key_that_a_row_needs_never_goes(db: Database, filled: Callable[[Vault], None], file: KeyFile) -> None:
    """Also when that row is damaged: its owner may have a copy of it."""
    filled(vault_of(file))
    [first] = file.read()
    with db.writing() as session:
        account = store.get(session, "a0")
        assert account.credentials is not None
        account.credentials = account.credentials[:-1]
    for _ in range(3):
        aged(file)
        assert rotate(db, vault_of(file), file, system_clock()).unreadable == 1
    assert (len(file.read()), file.read()[-1]) == (3, first)


@pytest.mark.parametrize("content", [b"", b"half a", base64.b64encode(NEW) + b"\n" + base64.b64encode(OLD)[:-3] + b"\n"])
def test_a_damaged_key_file_is_refused_and_left_alone(db: Database, filled: Callable[[Vault], None], file: KeyFile, content: bytes) -> None:
    """A server that has the keys goes on with them."""
    server = vault_of(file)
    filled(server)
    file.path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="Restore it from a backup"):
        rotate(db, server, file, system_clock())
    with pytest.raises(ConfigurationError, match="Restore it from a backup"):
        file.put_new_first()
    assert file.path.read_bytes() == content
    assert all_readable(db, server)
    set_account_credentials(db, "a0", token(0), server, system_clock())
    assert all_readable(db, server)


def test_two_rotations_at_once_end_well(db: Database, filled: Callable[[Vault], None], file: KeyFile) -> None:
    filled(vault_of(file))
    both = [threading.Thread(target=rotate, args=(db, vault_of(file), file, system_clock())) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(60)
    rotate(db, vault_of(file), file, system_clock())
    assert all_readable(db, vault_of(file))
    assert [key.rows for key in keys_in_use(db, vault_of(file)) if not key.known] == []
