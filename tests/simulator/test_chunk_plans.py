"""The worked examples of the reference, accepted and refused at init."""

import pytest

from simulator.wire import Creator, Sim, file_source, put

SIZE = "The chunk size is invalid"
COUNT = "The total chunk count is invalid"

ACCEPTED = [
    (1, 1, 1),
    (4_194_304, 4_194_304, 1),
    (50_000_123, 10_000_000, 5),
    (50_000_123, 50_000_123, 1),
    (64_000_000, 64_000_000, 1),
    (64_000_001, 32_000_000, 2),
    (150_000_000, 32_000_000, 4),
    (158_008_374, 5_242_880, 30),
    (4_000_000_000, 10_000_000, 400),
    (192_000_000, 64_000_000, 3),
    (191_999_999, 64_000_000, 2),
]

REFUSED = [
    (602_285_541, 67_108_864, 9, COUNT),
    (602_285_541, 67_108_864, 8, SIZE),
    (121_000_000, 67_108_864, 1, SIZE),
    (94_000_000, 94_000_000, 1, SIZE),
    (158_008_374, 158_008_374, 1, SIZE),
    (12_000_000, 10_000_000, 1, SIZE),
    (64_000_001, 64_000_001, 1, SIZE),
    (4_000_000, 1_000_000, 4, SIZE),
    (4_000_000, 5_000_000, 1, SIZE),
    (50_000_123, 10_000_000, 6, COUNT),
    (10_000_000, 0, 1, SIZE),
    (10_000_000, -5, 1, SIZE),
    (4_000_000_000, 3_999_000, 1000, SIZE),
    (10_000_000, 5_000_000, 0, COUNT),
]


@pytest.mark.parametrize(("size", "chunk", "count"), ACCEPTED)
def test_a_plan_by_the_rules_is_accepted(ana: Creator, size: int, chunk: int, count: int) -> None:
    assert set(ana.video_init(file_source(size, chunk, count)).data) == {"publish_id", "upload_url"}


@pytest.mark.parametrize(("size", "chunk", "count", "message"), REFUSED)
def test_a_plan_against_the_rules_is_refused_with_the_message_seen_live(
    ana: Creator, size: int, chunk: int, count: int, message: str
) -> None:
    answer = ana.video_init(file_source(size, chunk, count))

    assert (answer.status, answer.code, answer.message) == (400, "invalid_params", message)
    assert "data" not in answer.json


def test_a_knob_reads_the_limits_as_binary_megabytes(sim: Sim, ana: Creator) -> None:
    sim.settings(tiktok={"size_unit": "MiB"})

    assert ana.video_init(file_source(602_285_541, 67_108_864, 8)).code == "ok"
    assert ana.video_init(file_source(5_100_000 * 2, 5_100_000, 2)).message == SIZE


def test_a_knob_lets_one_chunk_be_declared_smaller_than_the_file(sim: Sim, ana: Creator) -> None:
    sim.settings(tiktok={"single_chunk_smaller": "accept"})
    url = ana.video_init(file_source(12_000_000, 10_000_000, 1)).data["upload_url"]

    assert put(sim, url, b"\0" * 12_000_000, 0, 12_000_000).status == 201
    assert ana.video_init(file_source(121_000_000, 64_000_000, 1)).message == SIZE
