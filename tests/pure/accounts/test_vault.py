"""The vault: what it encrypts only it decrypts, for the same row, with the same ring of keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipcast.accounts.vault import CredentialError, Vault

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
