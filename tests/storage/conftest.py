"""Fixtures for the tests of object storage: a bucket, with and without audio files."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from mirpipe.settings import settings
from mirpipe.storage import buckets
from tests.support import encoded_audio
from tests.support.s3_server import Bucket, running_proxy, running_server

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """Yield the URL of an S3 server, which all tests share."""
    with running_server() as url:
        yield url


@pytest.fixture
def bucket(s3_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """Yield an empty bucket that mirpipe reaches through a proxy. Few retries, an empty cache."""
    name = f"music-{next(_numbers)}"
    monkeypatch.setattr(buckets, "MAX_RETRIES", 3)
    monkeypatch.setenv("MIRPIPE_OBJECT_CACHE_DIR", str(tmp_path / "object-cache"))
    settings.cache_clear()
    with running_proxy(s3_server) as proxy:
        for variable, value in {
            "AWS_ENDPOINT_URL": proxy.url,
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret-of-the-tests",
            "AWS_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(variable, value)
        _forget_connections()
        bucket = Bucket(name, s3_server, proxy)
        bucket.create()
        yield bucket
    _forget_connections()


def _forget_connections() -> None:
    buckets._connect.cache_clear()
    buckets._outages.clear()


@pytest.fixture
def library(bucket: Bucket) -> str:
    """Put three tracks into the bucket, and return the address of their folder."""
    for seed, (name, kind) in enumerate(
        {"one.wav": "WAV", "two.flac": "FLAC", "below/three.ogg": "OGG"}.items()
    ):
        bucket.put(f"library/{name}", encoded_audio.encode(kind, encoded_audio.music(seed=seed)))
    return f"{bucket.url}/library"
