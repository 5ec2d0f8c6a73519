"""A worker's places: whoever has none under way finds one, and no platform takes so many that another one has to wait for its time-outs."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipcast.worker.places import SPARE_FROM, has_place

PLATFORMS = ("tiktok", "instagram", "youtube")


def filled(places: int, waiting: list[str], held: Counter[str] | None = None) -> Counter[str]:
    """How the places are taken when each platform that waits has more to do than there are places, and nothing ends."""
    held = Counter(held)
    while takers := [platform for platform in waiting if has_place(platform, places, held, waiting)]:
        held[takers[0]] += 1
    return held


@pytest.mark.parametrize(
    ("places", "waiting", "taken"),
    [
        (8, ["tiktok"], {"tiktok": 7}),
        (4, ["tiktok"], {"tiktok": 3}),
        (3, ["tiktok"], {"tiktok": 3}),
        (1, ["tiktok"], {"tiktok": 1}),
        (8, ["tiktok", "youtube"], {"tiktok": 4, "youtube": 4}),
        (8, ["tiktok", "instagram", "youtube"], {"tiktok": 3, "instagram": 3, "youtube": 2}),
        (3, ["tiktok", "instagram", "youtube"], {"tiktok": 1, "instagram": 1, "youtube": 1}),
        (1, ["tiktok", "youtube"], {"tiktok": 1}),
    ],
)
def test_each_platform_gets_its_share(places: int, waiting: list[str], taken: dict[str, int]) -> None:
    assert filled(places, waiting) == taken


@given(st.integers(SPARE_FROM, 40), st.permutations(PLATFORMS), st.integers(1, 3))
def test_whoever_comes_late_finds_a_place(places: int, order: list[str], early: int) -> None:
    """One platform alone, which hangs: the first of another begins at once, and then they share what ends."""
    hanging, newcomer = order[0], order[1]
    held = filled(places, [hanging])

    assert has_place(newcomer, places, held, order)
    held[newcomer] += 1
    assert not has_place(hanging, places, held, order[: 1 + early])


@given(
    st.integers(1, 40),
    st.lists(st.sampled_from(PLATFORMS), min_size=1, unique=True),
    st.dictionaries(st.sampled_from(PLATFORMS), st.integers(0, 20)),
)
def test_no_more_than_there_are_and_none_left_empty_for_ever(places: int, waiting: list[str], held: dict[str, int]) -> None:
    taken = filled(places, waiting, Counter(held))

    assert taken == Counter(held) or taken.total() <= places
    if sum(held.values()) < places:
        assert all(taken[platform] for platform in waiting) or taken.total() == places
