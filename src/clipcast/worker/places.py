"""Who may take up the places of a worker: no platform so many that its outage holds up the posts of another.

A platform that hangs keeps each publication that it is sent until the wire's time-outs end it, a minute or more. Whatever waits for another
platform must find a place meanwhile.
"""

from collections.abc import Collection, Mapping
from typing import Final

SPARE_FROM: Final = 4
"""A worker of so many places keeps one free, for a platform that has nothing to do yet; of fewer it could not be spared."""


def has_place(platform: str, places: int, held: Mapping[str, int], waiting: Collection[str]) -> bool:
    """Whether one more publication of this platform may be taken up.

    `held` is how many of each platform are under way, `waiting` which platforms have more to do. Each gets an even share, and never the
    place that another one waits for with nothing under way.

    >>> has_place("tiktok", 8, held={"tiktok": 6}, waiting=["tiktok"])
    True
    >>> has_place("tiktok", 8, held={"tiktok": 7}, waiting=["tiktok"])  # alone, it leaves one place
    False
    >>> has_place("tiktok", 8, held={"tiktok": 4}, waiting=["tiktok", "youtube"])
    False
    >>> has_place("youtube", 8, held={"tiktok": 4, "youtube": 3}, waiting=["tiktok", "youtube"])
    True
    """
    free, mine = places - sum(held.values()), held.get(platform, 0)
    if not mine:
        return free > 0
    others = {name for name in {*waiting, *held} if name != platform and (name in waiting or held[name])}
    if not others:
        return free > (places >= SPARE_FROM)
    share = -(-places // (len(others) + 1))
    starving = sum(1 for other in others if not held.get(other))
    return mine < share and free > starving
