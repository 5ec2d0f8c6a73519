"""The vault: what it encrypts only it decrypts, for the same row, with the same ring of keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipcast.accounts.vault import HEADER_BYTES, CredentialError, Vault, key_id_of, key_name

OLD, NEW, OTHER = b"o" * 32, b"n" * 32, b"x" * 32


@given(plain=st.binary(max_size=200), identity=st.text(max_size=40))
def test_what_was_encrypted_decrypts(plain: bytes, identity: str) -> None:
    vault = Vault([NEW])
    assert vault.decrypt(vault.encrypt(plain, identity), identity) == plain


def test_the_same_secret_never_looks_the_same() -> None:
    vault = Vault([NEW])
    assert vault.encrypt(b"token", "row-1") != vault.encrypt(b"token", "row-1")
    assert b"token" not in vault.encrypt(b"token", "row-1")


def test_a_ciphertext_moved_to_another_row_does_not_decrypt() -> None:
    vault = Vault([NEW])
    with pytest.raises(CredentialError, match="belong to another account"):
        vault.decrypt(vault.encrypt(b"token", "row-1"), "row-2")


def test_the_first_key_encrypts_and_all_decrypt() -> None:
    sealed = Vault([OLD]).encrypt(b"token", "row-1")
    assert Vault([NEW, OLD]).decrypt(sealed, "row-1") == b"token"
    renewed = Vault([NEW, OLD]).encrypt(b"token", "row-1")
    assert Vault([NEW]).decrypt(renewed, "row-1") == b"token"


def test_a_key_that_is_not_in_the_ring_is_told_from_damage() -> None:
    sealed = Vault([OLD]).encrypt(b"token", "row-1")
    with pytest.raises(CredentialError, match="CLIPCAST_CREDENTIAL_KEYS"):
        Vault([OTHER]).decrypt(sealed, "row-1")


@given(position=st.integers(min_value=0), bit=st.integers(0, 7))
def test_every_flipped_bit_is_noticed(position: int, bit: int) -> None:
    """Header, nonce, ciphertext and tag: nothing may change."""
    sealed = bytearray(Vault([NEW]).encrypt(b"token", "row-1"))
    sealed[position % len(sealed)] ^= 1 << bit
    with pytest.raises(CredentialError):
        Vault([NEW]).decrypt(bytes(sealed), "row-1")


@pytest.mark.parametrize("kept", [0, 1, 8, 9, 20, 30])
def test_a_truncated_ciphertext_is_a_credential_error(kept: int) -> None:
    sealed = Vault([NEW]).encrypt(b"token", "row-1")
    with pytest.raises(CredentialError):
        Vault([NEW]).decrypt(sealed[:kept], "row-1")


@pytest.mark.parametrize("format_byte", [0, 2, 255])
def test_another_format_is_not_tried(format_byte: int) -> None:
    """Whoever can write to the database cannot talk the vault into another, weaker reading."""
    sealed = Vault([NEW]).encrypt(b"token", "row-1")
    with pytest.raises(CredentialError, match="do not begin as Clipcast writes them"):
        Vault([NEW]).decrypt(bytes([format_byte]) + sealed[1:], "row-1")


def test_naming_another_key_of_the_ring_does_not_help() -> None:
    """The key's id is authenticated as well."""
    sealed = Vault([OLD]).encrypt(b"token", "row-1")
    renamed = Vault([NEW]).header + sealed[HEADER_BYTES:]
    with pytest.raises(CredentialError, match="damaged"):
        Vault([NEW, OLD]).decrypt(renamed, "row-1")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("social_accounts/a/credentials", "social_accounts/b/credentials"),
        ("social_accounts/a/credentials", "pending_links/a/sealed"),
        ("social_accounts/a/credentials", "social_accounts/a/credentials/"),
        ("pending_links/a/sealed", "pending_links/a/credentials"),
    ],
)
def test_neither_row_nor_column_nor_table_can_be_swapped(one: str, other: str) -> None:
    vault = Vault([NEW])
    with pytest.raises(CredentialError):
        vault.decrypt(vault.encrypt(b"token", one), other)


@given(damaged=st.binary(max_size=80))
def test_whatever_stands_in_the_column_is_a_credential_error_at_worst(damaged: bytes) -> None:
    with pytest.raises(CredentialError):
        Vault([NEW]).decrypt(damaged, "row-1")
    with pytest.raises(CredentialError):
        Vault([NEW]).decrypt(Vault([NEW]).header + damaged, "row-1")


def test_keys_are_named_without_being_shown() -> None:
    sealed = Vault([NEW, OLD]).encrypt(b"token", "row-1")
    assert key_name(sealed) == key_id_of(NEW) == Vault([NEW, OLD]).key_ids[0]
    assert Vault([NEW, OLD]).key_ids[1] == key_id_of(OLD)
    assert NEW.hex() not in key_id_of(NEW)
    assert [key_name(sealed[: HEADER_BYTES - 1]), key_name(b""), key_name(b"\x02" + sealed[1:])] == [None, None, None]


def test_a_vault_hears_of_new_keys_before_it_writes_and_when_it_meets_one() -> None:
    news = [[NEW, OLD]]
    sealed = Vault([NEW]).encrypt(b"token", "row-1")
    reading = Vault([OLD], lambda: news[0])
    assert reading.decrypt(sealed, "row-1") == b"token"
    writing = Vault([OLD], lambda: news[0])
    assert Vault([NEW]).decrypt(writing.encrypt(b"token", "row-1"), "row-1") == b"token"
