"""Live or simulated, as a table over what is stored and what is set (mission A7)."""

from pathlib import Path
from typing import Any

import pytest

from clipcast.accounts.credentials import seal
from clipcast.accounts.models import SocialAccount
from clipcast.accounts.provider import AccountInactive, choose
from clipcast.accounts.vault import Vault
from clipcast.errors import ConfigurationError
from clipcast.log import redact
from clipcast.platforms.base import Credentials
from clipcast.platforms.tiktok import TikTok
from clipcast.settings import Settings, load_settings

VAULT, OTHER_VAULT = Vault([b"k" * 32]), Vault([b"x" * 32])
TOKEN = {"access_token": "act.1"}
APP = {"client_key": "ck", "client_secret": "cs"}


def settings(**given: Any) -> Settings:
    return load_settings(data_dir=Path("unused"), **given)


def account(values: dict[str, str] | None, vault: Vault = VAULT, status: str = "active") -> SocialAccount:
    row = SocialAccount(id="a1", platform="tiktok", username="maker", status=status)
    if values is not None:
        seal(row, Credentials(values), vault)
    return row


@pytest.mark.parametrize(
    ("row", "kind", "reason"),
    [
        (None, "simulated", "no_credentials"),
        (account(None), "simulated", "no_credentials"),
        (account({}), "simulated", "no_credentials"),
        (account(TOKEN), "simulated", "incomplete_config"),
        (account(APP), "simulated", "incomplete_config"),
        (account({**TOKEN, **APP, "client_secret": ""}), "simulated", "incomplete_config"),
        (account({**TOKEN, **APP}, OTHER_VAULT), "simulated", "credential_error"),
        (account({**TOKEN, **APP}), "live", None),
    ],
)
def test_the_stored_credentials_decide(row: SocialAccount | None, kind: str, reason: str | None) -> None:
    provider = choose(row, VAULT, TikTok(), settings())
    assert (provider.kind, provider.reason) == (kind, reason)
    assert bool(provider.credentials.values) == (kind == "live")


def test_a_platform_without_a_live_client_is_simulated() -> None:
    assert choose(account({**TOKEN, **APP}), VAULT, None, settings()).reason == "unsupported_platform"


def test_always_simulates_and_calls_it_no_fallback() -> None:
    provider = choose(account({**TOKEN, **APP}), VAULT, TikTok(), settings(simulation="always"))
    assert provider.simulated
    assert provider.reason is None
    assert not provider.credentials.values


def test_the_settings_lend_the_app_to_accounts_without_one() -> None:
    lent = settings(tiktok_client_key="app-key", tiktok_client_secret="app-secret")
    provider = choose(account(TOKEN), VAULT, TikTok(), lent)
    assert provider.kind == "live"
    assert provider.credentials.values == {**TOKEN, "client_key": "app-key", "client_secret": "app-secret"}
    own = choose(account({**TOKEN, **APP}), VAULT, TikTok(), lent)
    assert own.credentials.get("client_key") == "ck"
    assert choose(None, VAULT, TikTok(), lent).reason == "no_credentials"


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (None, "a publication without an account lacks"),
        (account(None), "@maker lacks client_key, client_secret, access_token"),
        (account(TOKEN), "CLIPCAST_TIKTOK_CLIENT_KEY and CLIPCAST_TIKTOK_CLIENT_SECRET"),
        (account({**TOKEN, **APP}, OTHER_VAULT), "CLIPCAST_CREDENTIAL_KEYS"),
    ],
)
def test_off_refuses_to_fall_back_and_says_what_to_set(row: SocialAccount | None, sentence: str) -> None:
    with pytest.raises(ConfigurationError, match="CLIPCAST_SIMULATION=off") as caught:
        choose(row, VAULT, TikTok(), settings(simulation="off"))
    assert sentence in str(caught.value)
    assert redact(str(caught.value)) == str(caught.value), "a part of it looks like a secret, and nobody could read it"
    assert choose(account({**TOKEN, **APP}), VAULT, TikTok(), settings(simulation="off")).kind == "live"


@pytest.mark.parametrize("status", ["expired", "revoked", "disabled"])
def test_an_account_that_is_not_active_is_not_published_to(status: str) -> None:
    with pytest.raises(AccountInactive, match="@maker"):
        choose(account({**TOKEN, **APP}, status=status), VAULT, TikTok(), settings())


def test_a_disabled_account_is_not_even_simulated() -> None:
    with pytest.raises(AccountInactive, match="disabled"):
        choose(account(None, status="disabled"), VAULT, TikTok(), settings(simulation="always"))
