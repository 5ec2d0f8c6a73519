import os
import resource
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clipcast.clips.storage import BLOCK_BYTES, LocalStorage, Storage
from clipcast.errors import Busy, ConfigurationError, NotFound, TooLarge, UnusableMedia


def put(storage: Storage, content: bytes) -> str:
    with storage.incoming() as file:
        file.write(content)
        return storage.adopt(file, "mp4")


def files_in(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


@pytest.fixture
def disk_of_a_megabyte() -> Iterator[None]:
    """The kernel refuses to let any file of this process grow beyond 1 MiB, as a full disk or quota would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_stored_bytes_are_found_under_the_name_of_their_content(storage: LocalStorage) -> None:
    key = put(storage, b"abc")

    assert key == "ba/78/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad.mp4"
    assert storage.path(key).read_bytes() == b"abc"
    assert storage.size(key) == 3
    assert storage.path(key) == storage.root / key


def test_the_same_bytes_twice_are_one_file(storage: LocalStorage) -> None:
    assert put(storage, b"abc") == put(storage, b"abc")
    assert len(files_in(storage.root)) == 1


def test_many_threads_storing_the_same_bytes_leave_one_whole_file(storage: LocalStorage) -> None:
    content = os.urandom(300_000)
    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(lambda _: put(storage, content), range(32)))

    assert [path.read_bytes() for path in files_in(storage.root)] == [content]
    assert len(keys) == 1


def test_nothing_is_visible_before_it_is_whole(storage: LocalStorage) -> None:
    with storage.incoming() as file:
        file.write(b"abc")
        with pytest.raises(NotFound):
            storage.open(file.key("mp4"))


def test_what_is_not_adopted_is_gone(storage: LocalStorage) -> None:
    with storage.incoming() as file:
        file.write(b"abc")

    assert files_in(storage.root) == []


def test_a_damaged_file_in_its_place_is_replaced_by_the_whole_one(storage: LocalStorage) -> None:
    key = put(storage, b"abc")
    storage.path(key).write_bytes(b"a")

    put(storage, b"abc")

    assert storage.path(key).read_bytes() == b"abc"


@pytest.mark.parametrize(("start", "stop"), [(0, 0), (0, 1), (5, 9), (0, 3 * BLOCK_BYTES + 7), (BLOCK_BYTES - 1, 2 * BLOCK_BYTES + 1)])
def test_a_range_comes_in_small_blocks_and_nothing_else_comes(storage: LocalStorage, start: int, stop: int) -> None:
    content = os.urandom(3 * BLOCK_BYTES + 7)
    blocks = list(storage.read_range(put(storage, content), start, stop))

    assert b"".join(blocks) == content[start:stop]
    assert all(0 < len(block) <= BLOCK_BYTES for block in blocks)


def test_a_stored_file_that_was_cut_since_is_not_passed_on_as_whole(storage: LocalStorage) -> None:
    key = put(storage, b"abcdef")
    storage.path(key).write_bytes(b"abc")

    with pytest.raises(UnusableMedia, match="shorter than it was"):
        list(storage.read_range(key, 0, 6))


@pytest.mark.parametrize(
    "key",
    [
        "",
        "../secret",
        "/etc/passwd",
        "ab/cd/../../../../etc/passwd",
        "ab/cd/" + "e" * 64,
        f"ab/cd/{'e' * 64}.mp4\n",
        f"ab\\cd\\{'e' * 64}.mp4",
    ],
)
def test_no_key_leads_out_of_the_store(storage: LocalStorage, key: str) -> None:
    for use in (storage.path, storage.open, storage.size):
        with pytest.raises(NotFound):
            use(key)


def test_a_file_that_passes_the_cap_is_refused_before_it_is_written(storage: LocalStorage) -> None:
    with storage.incoming(max_bytes=5) as file:
        file.write(b"12345")
        with pytest.raises(TooLarge, match="larger than the 5 bytes"):
            file.write(b"6")
        assert file.size_bytes == 5


@pytest.mark.usefixtures("disk_of_a_megabyte")
def test_a_full_disk_is_one_sentence_and_leaves_nothing_behind(storage: LocalStorage) -> None:
    with pytest.raises(Busy, match=r"disk of .* is full. Nothing was stored"):
        put(storage, bytes(2 << 20))

    assert files_in(storage.root) == []


@pytest.mark.usefixtures("disk_of_a_megabyte")
def test_a_disk_that_fills_up_with_the_last_buffered_bytes_is_noticed_too(storage: LocalStorage) -> None:
    with storage.incoming() as file:
        file.write(bytes((1 << 20) - 1))
        file.write(b"xx")
        with pytest.raises(Busy):
            storage.adopt(file, "mp4")

    assert files_in(storage.root) == []


def test_a_place_that_cannot_be_written_names_the_settings(tmp_path: Path) -> None:
    (tmp_path / "media").write_text("a file where the directory should be")

    with pytest.raises(ConfigurationError, match="CLIPCAST_DATA_DIR"):
        LocalStorage(tmp_path / "media").incoming()


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A directory that this process may not write, even when the tests run as root."""
    (tmp_path / "media").mkdir(mode=0o500)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    yield tmp_path / "media"
    os.seteuid(user)


def test_a_read_only_directory_names_the_settings(read_only: Path) -> None:
    with pytest.raises(ConfigurationError, match="Check its owner and mode"):
        LocalStorage(read_only).incoming()


def test_only_old_leftovers_are_swept(storage: LocalStorage) -> None:
    now = datetime.now(UTC)
    with storage.incoming() as running, storage.incoming() as crashed:
        hours_ago = (now - timedelta(hours=5)).timestamp()
        os.utime(crashed.path, (hours_ago, hours_ago))

        assert storage.sweep_incoming(now - timedelta(hours=2)) == 1
        assert (running.path.exists(), crashed.path.exists()) == (True, False)


def test_sweeping_a_store_that_was_never_used_finds_nothing(storage: LocalStorage) -> None:
    assert storage.sweep_incoming(datetime.now(UTC)) == 0
