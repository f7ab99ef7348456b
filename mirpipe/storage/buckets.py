"""Connects to S3 buckets, and turns errors of the client into mirpipe's errors.

A bucket that does not answer, limits the rate of requests, or refuses the credentials raises
StorageUnavailable: its objects may still exist. For a while, later requests to this bucket then
fail at once, so that a stage does not wait for every track. A login that may not list, write or
delete raises StorageUnavailable, too, and other requests to the bucket may succeed.
"""

import errno
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from typing import Literal

from obstore.exceptions import BaseError, InvalidPathError, PreconditionError
from obstore.store import S3Store

from mirpipe.errors import ConfigurationError, ObjectChanged, RejectedInput, StorageUnavailable
from mirpipe.files.addresses import S3Address
from mirpipe.files.printable_path import printable_path

CONNECT_TIMEOUT = timedelta(seconds=5)
READ_TIMEOUT = timedelta(seconds=30)
"""Longest time without a byte of the answer."""
MAX_RETRIES = 8
"""Number of retries, with growing delays, after a server error or a lost connection."""
OUTAGE_SECONDS = 30.0
"""Time for which requests to a bucket fail at once after it was unavailable, in seconds."""

_LONGEST_REQUEST = timedelta(hours=1)
_RETRY_TIMEOUT = timedelta(seconds=60)
_CREDENTIALS = frozenset(
    [
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidToken",
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "TokenRefreshRequired",
        "RequestExpired",
        "RequestTimeTooSkewed",
        "401",
    ]
)
_THROTTLING = frozenset(
    [
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "RequestLimitExceeded",
        "TooManyRequests",
        "ServiceUnavailable",
        "429",
        "503",
    ]
)
_REFUSED = frozenset(
    [
        "AccessDenied",
        "AllAccessDisabled",
        "InvalidObjectState",
        "403",
    ]
)
_CODE = re.compile(r"<Code>(\w+)</Code>|\(code: (\w+)\)")
"""The error code in an answer, or in the client's text about an object that was not deleted."""
_STATUS = re.compile(r"status code: (\d{3})")
_INSTANCE_METADATA = "169.254.169.254"

Action = Literal["list", "read", "write", "read back", "delete"]
"""What a request does, and the permission that it needs."""

_outages: dict[str, tuple[float, str]] = {}
"""Time and message of the last outage of each bucket, in this process."""


@contextmanager
def bucket_of(address: S3Address, action: Action) -> Iterator[S3Store]:
    """Yield the bucket for requests that do this with the object or folder.

    Raises FileNotFoundError if the object does not exist, ObjectChanged if it was replaced,
    RejectedInput if it may not be read, and StorageUnavailable if the bucket cannot be used now or
    the action is not permitted.
    """
    since, message = _outages.get(address.bucket, (0.0, ""))
    if message and time.monotonic() - since < OUTAGE_SECONDS:
        raise StorageUnavailable(message)
    try:
        yield _connect(address.bucket)
    except (BaseError, FileNotFoundError) as error:
        problem = _translated(error, address, action)
        if isinstance(problem, StorageUnavailable) and error_code(error) not in _REFUSED:
            _outages[address.bucket] = time.monotonic(), str(problem)
        raise problem from None  # The client's text can contain the id of the access key.
    _outages.pop(address.bucket, None)


@cache
def _connect(bucket: str) -> S3Store:
    """Return the client for a bucket. It has a connection pool, and all threads share it."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL", "")
    return S3Store(
        bucket,
        client_options={
            "allow_http": endpoint.startswith("http://"),
            "connect_timeout": CONNECT_TIMEOUT,
            "read_timeout": READ_TIMEOUT,
            "timeout": _LONGEST_REQUEST,
        },
        retry_config={
            "max_retries": MAX_RETRIES,
            "retry_timeout": _RETRY_TIMEOUT,
            "backoff": {
                "init_backoff": timedelta(milliseconds=200),
                "max_backoff": timedelta(seconds=10),
                "base": 2,
            },
        },
    )


def _translated(error: Exception, address: S3Address, action: Action) -> Exception:
    """Return mirpipe's error for an error of the client."""
    text, name = str(error), printable_path(address)
    if isinstance(error, InvalidPathError):
        return ConfigurationError(
            f"{name} contains an object whose name has an empty part, '.' or '..': "
            f"{_quoted(text)}. Rename this object, or name a folder that does not contain it."
        )
    code = error_code(error)
    # If the connection broke and the rest is asked for, these are only codes in a general error.
    if isinstance(error, PreconditionError) or code == "PreconditionFailed":
        return ObjectChanged(f"{name} was replaced while it was read.")
    if code == "NoSuchKey" or (isinstance(error, FileNotFoundError) and code != "NoSuchBucket"):
        return FileNotFoundError(errno.ENOENT, "There is no such object", str(address))
    if code in _REFUSED and action != "read":
        return StorageUnavailable(
            f"The login may not {action} {name} ({code}). Give it the permission to {action} "
            f"objects in s3://{address.bucket}, or use another login, and run the command again."
        )
    if code in _REFUSED:
        return RejectedInput(
            "unreadable",
            f"{name} cannot be read: the server refuses it ({code}). Allow the login to read it, "
            "or restore it from the archive. A later ingest tries it again.",
        )
    return StorageUnavailable(_describe_outage(address.bucket, code, text))


def _describe_outage(bucket: str, code: str, text: str) -> str:
    name = f"s3://{bucket}"
    if code in _CREDENTIALS or _INSTANCE_METADATA in text:
        return (
            f"The credentials for {name} are missing, wrong or expired ({code or 'none found'}). "
            "Renew them, in the AWS_ variables or in the Airflow connection, and run the command "
            "again."
        )
    if code == "NoSuchBucket":
        return (
            f"{name} does not exist at this endpoint. Check its name, AWS_ENDPOINT_URL and "
            "AWS_REGION."
        )
    if code in _THROTTLING:
        return (
            f"{name} limits the rate of requests ({code}), also after {MAX_RETRIES} retries. Run "
            "the command again later."
        )
    return (
        f"{name} does not answer ({code or 'no connection'}). Check the network, AWS_ENDPOINT_URL "
        "and AWS_REGION, and run the command again."
    )


def error_code(error: Exception) -> str:
    """Return the S3 error code of the client's error, or its HTTP status, or an empty string."""
    found = _CODE.search(str(error)) or _STATUS.search(str(error))
    return found[found.lastindex or 0] if found else ""


def _quoted(text: str) -> str:
    found = re.search(r'Path "(.*?)"', text)
    return found.group(1) if found else "?"
