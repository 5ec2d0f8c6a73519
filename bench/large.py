"""The largest file that each platform takes, from a sparse file: peak memory, and its growth against 10 MB."""

import statistics

from bench import engine_round, world

LARGEST_BYTES = {"tiktok": 4_000_000_000, "youtube": 4_000_000_000, "instagram": 300_000_000}
SMALL_BYTES = 10_000_000
ROUNDS = 3


def measure() -> list[str]:
    """One line per platform."""
    lines = []
    with world.sink() as port:
        for platform, size_bytes in LARGEST_BYTES.items():
            large = [engine_round.run(platform, size_bytes, port)[1] for _ in range(ROUNDS)]
            small = [engine_round.run(platform, SMALL_BYTES, port)[1] for _ in range(ROUNDS)]
            growth_mb = statistics.median(large) - statistics.median(small)
            size = f"{size_bytes / 1e9:g} GB"
            lines.append(
                f"{platform}, {size}: peak {world.summary(large, 'MB')} (target below 100), {growth_mb:.1f} MB more than for 10 MB"
            )
    return lines
