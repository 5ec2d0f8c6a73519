"""What not everybody may see is kept by no cache, of a proxy or of a browser that somebody else uses next."""

import pytest

from app.api.calling import Api


@pytest.mark.parametrize(
    "path", ["/people/me", "/people", "/apikeys", "/accounts", "/publications", "/ledger", "/openapi.json", "/docs", "/metrics"]
)
def test_what_takes_a_permission_is_not_kept(path: str, idle_api: Api) -> None:
    answer = idle_api("GET", path)

    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"


def test_a_refusal_is_not_kept_either(idle_api: Api) -> None:
    assert idle_api("GET", "/accounts/none").headers["cache-control"] == "no-store"
    assert idle_api("GET", "/accounts", Authorization="Bearer clipcast_made-up").headers["cache-control"] == "no-store"


def test_what_says_itself_how_long_it_may_be_kept_is(idle_api: Api) -> None:
    """The files of the documentation's page are the same for everybody, and large."""
    assert idle_api("GET", "/docs/swagger-ui.css").headers["cache-control"] == "private, max-age=86400"
    assert idle_api("GET", "/style.css").headers["cache-control"] == "max-age=3600"
