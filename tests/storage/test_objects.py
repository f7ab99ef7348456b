"""Objects are listed, read, written and deleted, and every error says what to do."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest

from mirpipe.errors import ConfigurationError, ObjectChanged, RejectedInput, StorageUnavailable
from mirpipe.files.addresses import S3Address, parse_address
from mirpipe.storage import buckets
from mirpipe.storage.local_copies import local_copy
from mirpipe.storage.objects import current_version, delete, list_objects, put
from tests.support.s3_server import Bucket, Fault, Request

ODD_NAMES = ["ü.flac", "u\u0308.flac", "a b+c&d=.flac", "100%.flac", "%41.flac", "x*?#[].flac"]
ODD_NAMES += ["音乐.flac", "q'\"<>.flac", "~^`{|}.flac", "back\\slash.flac"]


def read(address: S3Address, etag: str | None = None) -> bytes:
    with local_copy(address, etag) as path:
        return path.read_bytes()


def address_of(bucket: Bucket, key: str) -> S3Address:
    return S3Address(bucket.name, key)


def test_objects_with_odd_names_are_listed_and_read(bucket: Bucket) -> None:
    for name in ODD_NAMES:
        bucket.put(f"folder/{name}", name.encode())
    bucket.put("folder-beside/other.flac", b"")
    listed = [each.address for each in list_objects(address_of(bucket, "folder"))]
    assert [each.key for each in listed] == sorted(
        (f"folder/{name}" for name in ODD_NAMES), key=str.encode
    )
    for address in listed:
        assert parse_address(os.fsencode(address)) == address
        assert read(address).decode() == address.name


def test_put_and_delete(bucket: Bucket) -> None:
    address = address_of(bucket, "clips/a.flac")
    version = put(address, b"content")
    assert version == current_version(address)
    assert (version.size, bucket.read("clips/a.flac")) == (7, b"content")
    delete(address)
    delete(address)
    assert bucket.list_keys() == []


def test_an_object_whose_name_has_an_empty_part_is_named(bucket: Bucket) -> None:
    bucket.put("library/one.flac", b"")
    bucket.put("library//two.flac", b"")
    with pytest.raises(ConfigurationError, match=r"library//two\.flac\. Rename this object"):
        list(list_objects(address_of(bucket, "library")))


def test_only_the_listed_version_is_read(bucket: Bucket) -> None:
    address = address_of(bucket, "a.flac")
    old = put(address, b"old")
    bucket.put("a.flac", b"new")
    with pytest.raises(ObjectChanged, match=r"a\.flac was replaced"):
        read(address, old.etag)
    assert read(address) == b"new"


def test_a_lost_connection_is_tried_again(bucket: Bucket) -> None:
    content = os.urandom(3_000_000)
    address = address_of(bucket, "a.flac")
    bucket.put("a.flac", content)
    faults = [Fault(cut_body=True), Fault(0), Fault(503, "SlowDown")]
    bucket.proxy.spoil = lambda request: faults.pop() if request.is_read and faults else None
    assert read(address) == content
    assert not faults


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault(503, "SlowDown"), r"limits the rate of requests \(SlowDown\).*again later"),
        (Fault(400, "ExpiredToken"), r"credentials .* expired \(ExpiredToken\)\. Renew them"),
        (Fault(403, "InvalidAccessKeyId"), r"credentials .* \(InvalidAccessKeyId\)\. Renew them"),
        (Fault(500, "InternalError"), r"does not answer \(InternalError\)\. Check the network"),
        (Fault(0), r"does not answer \(no connection\)\. Check the network"),
    ],
)
def test_a_bucket_that_is_away_says_why(bucket: Bucket, fault: Fault, message: str) -> None:
    address = address_of(bucket, "a.flac")
    bucket.put("a.flac", b"content")
    bucket.proxy.spoil = lambda _request: fault
    calls = [lambda: read(address, '"etag"'), lambda: list(list_objects(address))]
    if fault.status not in (500, 503):  # An answer to HEAD contains no code.
        calls.append(lambda: current_version(address))
    for call in calls:
        buckets._outages.clear()
        with pytest.raises(StorageUnavailable, match=message) as raised:
            call()
        assert "secret-of-the-tests" not in str(raised.value)


def test_a_bucket_without_server(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    buckets._connect.cache_clear()
    with pytest.raises(StorageUnavailable, match=r"does not answer \(no connection\)"):
        read(address_of(bucket, "a.flac"), '"etag"')


def test_a_silent_server(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = Event()
    bucket.put("a.flac", b"content")
    bucket.proxy.spoil = lambda _request: ended.wait() and None
    monkeypatch.setattr(buckets, "READ_TIMEOUT", timedelta(milliseconds=100))
    try:
        with pytest.raises(StorageUnavailable, match="does not answer"):
            read(address_of(bucket, "a.flac"), '"etag"')
    finally:
        ended.set()


def test_a_bucket_that_does_not_exist(bucket: Bucket) -> None:
    missing = S3Address("no-such-bucket", "a.flac")
    for call in (lambda: read(missing, '"etag"'), lambda: list(list_objects(missing))):
        buckets._outages.clear()
        with pytest.raises(StorageUnavailable, match="does not exist at this endpoint"):
            call()


def test_an_object_that_does_not_exist(bucket: Bucket) -> None:
    with pytest.raises(FileNotFoundError) as raised:
        read(address_of(bucket, "none.flac"), '"etag"')
    assert raised.value.filename == f"{bucket.url}/none.flac"


def test_an_object_that_may_not_be_read(bucket: Bucket) -> None:
    bucket.put("a.flac", b"content")
    bucket.put("b.flac", b"content")
    bucket.proxy.spoil = lambda request: (
        Fault(403, "AccessDenied") if request.key == "a.flac" else None
    )
    address = address_of(bucket, "a.flac")
    for call in (lambda: read(address, '"etag"'), lambda: current_version(address)):
        with pytest.raises(RejectedInput, match=r"a\.flac cannot be read.*Allow") as raised:
            call()
        assert raised.value.retry
    assert read(address_of(bucket, "b.flac")) == b"content"


DENIED_DELETE = (
    "<DeleteResult><Error><Key>folder/a.flac</Key><Code>AccessDenied</Code>"
    "<Message>Access Denied</Message></Error></DeleteResult>"
)


@pytest.mark.parametrize(
    ("action", "call", "fault"),
    [
        (
            "list",
            lambda address: list(list_objects(S3Address(address.bucket, "folder"))),
            Fault(403, "AccessDenied"),
        ),
        ("write", lambda address: put(address, b"new"), Fault(403, "AccessDenied")),
        ("delete", delete, Fault(403, "AccessDenied")),
        ("delete", delete, Fault(200, body=DENIED_DELETE)),
    ],
)
def test_a_missing_permission_is_named_and_stops_nothing_else(
    bucket: Bucket, action: str, call: Callable[[S3Address], object], fault: Fault
) -> None:
    bucket.put("folder/a.flac", b"content")
    address = address_of(bucket, "folder/a.flac")
    etag = current_version(address).etag
    bucket.proxy.spoil = lambda request: None if request.is_read else fault
    with pytest.raises(StorageUnavailable, match=rf"may not {action} .*permission to {action}"):
        call(address)
    assert read(address, etag) == b"content"


def test_a_written_object_that_may_not_be_read_stops_the_stage(bucket: Bucket) -> None:
    bucket.proxy.spoil = lambda request: (
        Fault(403, "AccessDenied") if request.method == "HEAD" else None
    )
    with pytest.raises(StorageUnavailable, match=r"may not read back .*a\.flac"):
        put(address_of(bucket, "a.flac"), b"content")


def test_after_an_outage_requests_fail_at_once_for_a_while(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put("a.flac", b"content")
    address = address_of(bucket, "a.flac")

    def spoil(_request: Request) -> Fault:
        return Fault(503, "SlowDown")

    bucket.proxy.spoil = spoil
    with pytest.raises(StorageUnavailable):
        read(address)
    sent = len(bucket.proxy.requests)
    assert sent == 1 + buckets.MAX_RETRIES
    for _ in range(3):
        with pytest.raises(StorageUnavailable, match="limits the rate"):
            read(address)
    assert len(bucket.proxy.requests) == sent
    bucket.proxy.spoil = lambda _request: None
    monkeypatch.setattr(buckets, "OUTAGE_SECONDS", 0)
    assert read(address) == b"content"


def test_messages_about_the_content_name_the_object(bucket: Bucket) -> None:
    bucket.put("a.flac", b"content")
    address = address_of(bucket, "a.flac")
    with (
        pytest.raises(RejectedInput, match=rf"^s3://{bucket.name}/a\.flac is bad$"),
        local_copy(address) as path,
    ):
        raise RejectedInput("bad", f"{path} is bad")


def test_a_local_file_is_not_copied(tmp_path: Path) -> None:
    with local_copy(tmp_path / "a.wav") as path:
        assert path == tmp_path / "a.wav"
