"""Each version of an object is downloaded once, and the copies stay below the limit."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mirpipe.errors import StorageUnavailable
from mirpipe.files.addresses import S3Address
from mirpipe.settings import settings
from mirpipe.storage.local_copies import local_copy
from tests.support.s3_server import Bucket, Request


def is_read(request: Request) -> bool:
    return request.is_read


def read(bucket: Bucket, key: str) -> bytes:
    with local_copy(S3Address(bucket.name, key)) as path:
        return path.read_bytes()


def copies() -> list[Path]:
    return sorted(settings().object_cache.iterdir())


def limit_bytes(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    monkeypatch.setenv("MIRPIPE_OBJECT_CACHE_GB", str(limit / 1e9))
    settings.cache_clear()


def test_several_readers_need_one_download(bucket: Bucket) -> None:
    keys = [f"{number}.flac" for number in range(10)]
    for key in keys:
        bucket.put(key, key.encode())
    with ThreadPoolExecutor(8) as pool:
        contents = list(pool.map(lambda key: read(bucket, key), sorted(16 * keys)))
    assert contents == sorted(16 * [key.encode() for key in keys])
    assert bucket.proxy.count(is_read) == len(keys)
    assert [copy.suffix for copy in copies()] == [".flac"] * len(keys)


def test_a_new_version_is_downloaded(bucket: Bucket) -> None:
    for content in (b"old", b"new", b"new"):
        bucket.put("a.flac", content)
        assert read(bucket, "a.flac") == content
    assert bucket.proxy.count(is_read) == 2


def test_the_copies_used_longest_ago_are_deleted(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_bytes(monkeypatch, 2500)
    for key in "abc":
        bucket.put(key, key.encode() * 1000)
    for key in "ab":
        read(bucket, key)
    for copy in copies():
        os.utime(copy, (0, 0))
    read(bucket, "a")
    read(bucket, "c")
    assert {copy.read_bytes()[:1] for copy in copies()} == {b"a", b"c"}


def test_a_copy_that_is_being_read_is_kept(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    limit_bytes(monkeypatch, 100)
    for key in "ab":
        bucket.put(key, key.encode() * 1000)
    with local_copy(S3Address(bucket.name, "a")) as path:
        assert read(bucket, "b") == b"b" * 1000
        assert path.read_bytes() == b"a" * 1000
    read(bucket, "b")
    read(bucket, "a")
    assert path.exists()


def test_an_incomplete_download_is_replaced_and_counted(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put("a", b"a" * 1000)
    with local_copy(S3Address(bucket.name, "a")) as path:
        pass
    path.rename(f"{path}.part")
    assert read(bucket, "a") == b"a" * 1000
    assert copies() == [path]
    left = path.parent / f"{'0' * 64}.flac.part"
    left.write_bytes(b"x" * 5000)
    os.utime(left, (0, 0))
    limit_bytes(monkeypatch, 2500)
    bucket.put("b", b"b" * 1000)
    read(bucket, "b")
    assert len(copies()) == 2


def test_other_files_in_the_folder_are_kept(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = settings().object_cache
    (folder / ("0" * 64)).mkdir(parents=True)
    others = [folder / "song.flac", folder / f"{'1' * 63}.flac", folder / "download.part"]
    for other in others:
        other.write_bytes(b"x" * 5000)
        os.utime(other, (0, 0))
    (folder / ("2" * 64)).symlink_to("song.flac")
    expected = sorted(folder.iterdir())
    limit_bytes(monkeypatch, 1500)
    for key in "ab":
        bucket.put(key, key.encode() * 1000)
        read(bucket, key)
    (copy,) = set(copies()) - {*expected}
    assert copy.read_bytes() == b"b" * 1000
    assert set(expected) < set(copies())


def test_a_cache_that_cannot_be_written_names_the_folder(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bucket.put("a", b"content")
    (tmp_path / "file").touch()
    monkeypatch.setenv("MIRPIPE_OBJECT_CACHE_DIR", str(tmp_path / "file" / "cache"))
    settings.cache_clear()
    with pytest.raises(StorageUnavailable, match=r"file/cache.*MIRPIPE_OBJECT_CACHE_DIR"):
        read(bucket, "a")
