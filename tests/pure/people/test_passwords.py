"""Which passwords, addresses and names are taken."""

import threading

import pytest

from clipcast.errors import Busy, InvalidRequest
from clipcast.people import passwords

GOOD = "correct horse battery"


@pytest.mark.parametrize("password", [GOOD, "ten chars!", "x1y" * 341, "пароль из слов", "          a b"])
def test_length_is_what_counts(password: str) -> None:
    assert passwords.checked_password(password, email="ada@example.com", name="Ada") == password


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("nine char", "10 characters or more"),
        ("x1" * 513, "1,024 characters at most"),
        ("Password1234", "one of the first"),
        ("QWERTYUIOP", "one of the first"),
        ("aaaaaaaaaaaaaaaa", "one of the first"),
        ("ababababababab", "one of the first"),
        ("Ada.Lovelace@Example.com", "others know it"),
        ("ada.lovelace", "others know it"),
        ("ADA KING LOVELACE", "others know it"),
    ],
)
def test_what_others_would_try_first_is_refused(password: str, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said) as refused:
        passwords.checked_password(password, email="ada.lovelace@example.com", name="Ada King Lovelace")
    assert password not in str(refused.value)


def test_every_common_password_would_pass_otherwise() -> None:
    """What is shorter than the minimum need not be listed."""
    assert [word for word in passwords.COMMON if len(word) < passwords.SHORTEST or word != word.casefold()] == []


@pytest.mark.parametrize(
    "text", ["ada", "ada@", "@example.com", "a b@example.com", "a@b@c", "ada@exa\x00mple.com", "a" * 250 + "@b.de", ""]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        passwords.checked_email(text)


def test_an_address_is_kept_in_one_spelling() -> None:
    assert passwords.checked_email(" Ada@Example.COM ") == "ada@example.com"
    assert passwords.checked_name(" Ada\t King ") == "Ada King"


def test_what_looks_the_same_is_the_same_password() -> None:
    """One keyboard sends é as one character, another as e and an accent."""
    stored = passwords.hashed("caf\u00e9 au lait!")

    assert passwords.matches("cafe\u0301 au lait!", stored) == (True, None)
    assert passwords.matches("cafe au lait!", stored) == (False, None)
    assert passwords.matches("half a pair \ud800", stored) == (False, None)


def test_nobody_has_no_password() -> None:
    """Not even the one whose hash stands in for an unknown address."""
    assert passwords.matches("nobody has this password", None) == (False, None)


def test_only_a_few_are_hashed_at_once() -> None:
    """Each takes 64 MiB; how much memory many sign-ins take is bounded by this."""
    inside, most, both = threading.Lock(), [0, 0], threading.Barrier(passwords.AT_ONCE)

    def occupy() -> None:
        with passwords.room():
            with inside:
                most[0] += 1
                most[1] = max(most)
            both.wait(10)
            with inside:
                most[0] -= 1

    threads = [threading.Thread(target=occupy) for _ in range(3 * passwords.AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert most == [0, passwords.AT_ONCE]


def test_who_waits_too_long_is_told() -> None:
    with passwords.room(), passwords.room(), pytest.raises(Busy, match="try again"), passwords.room(patience_s=0.01):
        pytest.fail("a third one came in")
