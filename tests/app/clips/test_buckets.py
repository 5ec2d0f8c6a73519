"""Media in an S3-compatible store, against a real server process."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import urllib3

from clipcast.clips.buckets import BucketStorage
from clipcast.clips.storage import BLOCK_BYTES, LocalStorage, Storage
from clipcast.clips.stores import open_storage
from clipcast.errors import Busy, ConfigurationError, NotFound, UnusableMedia
from clipcast.settings import load_settings
from ports import free_port

PATIENCE_S = 120.0
ABSENT = f"ab/cd/{'0' * 64}.mp4"


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The endpoint of an S3 server in a process of its own."""
    port = free_port()
    log = (tmp_path_factory.mktemp("s3") / "log").open("wb")
    process = subprocess.Popen([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], stdout=log, stderr=log)
    endpoint = f"http://127.0.0.1:{port}"
    try:
        wait_for(endpoint, process)
        yield endpoint
    finally:
        process.kill()
        process.wait()
        log.close()


def wait_for(endpoint: str, process: subprocess.Popen[bytes]) -> None:
    retries = urllib3.Retry(total=None, connect=int(PATIENCE_S * 10), backoff_factor=0.05, backoff_max=0.1)
    deadline = time.monotonic() + PATIENCE_S
    answer = urllib3.request("GET", endpoint, retries=retries, timeout=PATIENCE_S)
    assert answer.status < 500
    assert process.poll() is None
    assert time.monotonic() < deadline


@pytest.fixture
def bucket_url(s3_server: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    monkeypatch.setitem(os.environ, "AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setitem(os.environ, "AWS_SECRET_ACCESS_KEY", "test")
    name = f"b{abs(hash(request.node.nodeid)):x}"[:40]
    assert urllib3.request("PUT", f"{s3_server}/{name}").status == 200
    return f"s3://{name}/clips?endpoint={s3_server}"


@pytest.fixture
def bucket(bucket_url: str, tmp_path: Path) -> BucketStorage:
    return BucketStorage.from_url(bucket_url, tmp_path / "staging")


@pytest.fixture(params=["directory", "bucket"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """Both stores, for what they must do alike."""
    return LocalStorage(tmp_path / "media") if request.param == "directory" else request.getfixturevalue("bucket")


def stored(storage: Storage, content: bytes) -> str:
    with storage.incoming() as file:
        for start in range(0, len(content), BLOCK_BYTES):
            file.write(content[start : start + BLOCK_BYTES])
        return storage.adopt(file, "mp4")


def test_what_goes_in_comes_out_in_small_blocks(storage: Storage) -> None:
    content = os.urandom(3 * BLOCK_BYTES + 7)
    key = stored(storage, content)

    blocks = list(storage.read_range(key, 5, len(content) - 1))
    lent = [bytes(block) for block in storage.lend_range(key, 5, len(content) - 1)]

    assert b"".join(blocks) == b"".join(lent) == content[5:-1]
    assert max(len(block) for block in blocks) <= BLOCK_BYTES
    assert storage.size(key) == len(content)
    with storage.open(key) as file:
        assert file.read() == content


def test_a_stored_file_can_be_had_on_disk_for_a_while(storage: Storage) -> None:
    key = stored(storage, b"bytes")

    with storage.on_disk(key) as path:
        assert path.read_bytes() == b"bytes"

    assert storage.size(key) == 5
    with pytest.raises(NotFound), storage.on_disk(ABSENT):
        pass


def test_what_another_program_wrote_is_counted_and_hashed(storage: Storage) -> None:
    """An encoder goes back and forth in its file."""
    with storage.incoming() as file:
        file.path.write_bytes(b"from elsewhere")
        assert file.reread().size_bytes == 14
        key = storage.adopt(file, "mp4")

    with storage.open(key) as stored_file:
        assert stored_file.read() == b"from elsewhere"


def test_the_same_bytes_are_stored_once(storage: Storage) -> None:
    assert stored(storage, b"same") == stored(storage, b"same")


def test_a_large_file_travels_in_parts(bucket: BucketStorage) -> None:
    content = bytes(20_000_000)

    key = stored(bucket, content)

    assert bucket.size(key) == len(content)


def test_nothing_stays_behind_on_the_local_disk(bucket: BucketStorage, tmp_path: Path) -> None:
    stored(bucket, b"away")

    assert [path for path in (tmp_path / "staging").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("key", [ABSENT, "../../etc/passwd", "", "ab/cd/short.mp4"])
def test_what_is_not_there_is_not_found(storage: Storage, key: str) -> None:
    with pytest.raises(NotFound):
        storage.size(key)
    with pytest.raises(NotFound):
        list(storage.read_range(key, 0, 1))


def test_a_range_beyond_the_end_is_told(storage: Storage) -> None:
    key = stored(storage, b"short")

    with pytest.raises((UnusableMedia, Busy)):
        list(storage.read_range(key, 0, 50))


def test_a_signed_url_works_without_credentials_and_only_for_its_file(bucket: BucketStorage) -> None:
    key = stored(bucket, b"for the platform")

    url = bucket.signed_url(key, timedelta(hours=1))

    assert urllib3.request("GET", url).data == b"for the platform"
    assert "X-Amz-Expires=3600" in url


def test_a_store_out_of_reach_is_busy_and_keeps_its_secrets(tmp_path: Path, bucket_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        dead = f"http://127.0.0.1:{listener.getsockname()[1]}"
    away = BucketStorage.from_url(f"s3://nowhere?endpoint={dead}", tmp_path)

    with pytest.raises(Busy, match="try again") as caught:
        away.size(ABSENT)

    assert dead not in str(caught.value)
    assert bucket_url not in str(caught.value)


@pytest.mark.parametrize("url", ["s3://", "s3://bucket?colour=red", "s3:///only/path"])
def test_a_wrong_bucket_url_names_the_variable(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="CLIPCAST_STORAGE_URL"):
        open_storage(load_settings(data_dir=tmp_path, storage_url=url))


def test_the_settings_choose_the_bucket(bucket_url: str, tmp_path: Path) -> None:
    storage = open_storage(load_settings(data_dir=tmp_path, storage_url=bucket_url))

    assert isinstance(storage, BucketStorage)
    assert storage.sweep_incoming(datetime.now(UTC)) == 0
