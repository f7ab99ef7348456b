"""Downloads weights from the Hugging Face hub or a mirror, and resumes interrupted downloads.

The library `huggingface_hub` is not used for downloads, because it restarts an interrupted download
of a large file from the beginning.
"""

import fcntl
import re
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx

from mirpipe.errors import MirpipeError
from mirpipe.models.file_hash_cache import cached_sha256
from mirpipe.models.weight_files import find_weights
from mirpipe.models.weight_verification import (
    first_use,
    is_unconfirmed,
    require_confirmed,
    trust,
    verify_sha256,
)
from mirpipe.records import Progress
from mirpipe.settings import settings
from mirpipe.specs import WeightFile

TRIES = 5
"""Number of consecutive attempts without new data after which a download fails."""
_TIMEOUT_SECONDS = 60
_BLOCK_BYTES = 1 << 20
_SHA256 = re.compile(r'"?([0-9a-f]{64})"?')


class DownloadFailed(MirpipeError):
    """Weights could not be downloaded."""


@dataclass
class _HubStatement:
    """What the hub's responses state about the downloaded file."""

    commit: str | None = None
    """Commit that contains the file."""
    sha256: str | None = None
    """SHA-256 of a large file. The hub states none for small files."""


def fetch(
    file: WeightFile,
    *,
    plugin: str,
    trust_first_copy: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Return the path of the verified file. It is downloaded if this machine does not have it.

    `plugin` is the name of the plug-in that needs the file. If the publisher states no SHA-256,
    `trust_first_copy` says that the user confirms the first copy. `progress` is called with the
    downloaded and the total number of megabytes. An interrupted download is resumed. The file
    receives its final name only when it is complete and its SHA-256 is verified or recorded. The
    environment variable HF_ENDPOINT names a mirror; HF_HUB_OFFLINE=1 disables downloads. Raises
    DownloadFailed if the download fails, and Unavailable if the SHA-256 is not the expected one
    (`weights_refused`) or the first copy is not confirmed (`weights_unconfirmed`).
    """
    if not trust_first_copy:
        require_confirmed(file, plugin=plugin)
    found = find_weights(file)
    if found and not found.random:
        _verify_or_trust(file, found.path, commit=None)
        return found.path
    path = settings().weights_folder / file.repository / file.filename
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    with part.open("ab") as output:
        # A second process waits here until the first process has finished. It then resumes the
        # download or returns the complete file.
        fcntl.flock(output, fcntl.LOCK_EX)
        if path.is_file():
            return path
        try:
            stated = _download(file, output, progress or (lambda _done, _total: None))
        except (httpx.HTTPError, OSError) as error:
            raise DownloadFailed(
                f"Cannot download {file.repository}/{file.filename}: "
                f"{error or type(error).__name__}. If you use a mirror, set HF_ENDPOINT. If this "
                f"machine has no network, copy the file to {path}"
            ) from error
        try:
            _require_complete(file, part, stated)
            _verify_or_trust(file, part, commit=stated.commit)
        except MirpipeError:
            part.unlink()
            raise
        part.replace(path)
    return path


def _verify_or_trust(file: WeightFile, path: Path, *, commit: str | None) -> None:
    """Verify the SHA-256 of `path`, or record it if this is the first copy of the file."""
    digest = cached_sha256(path)
    if is_unconfirmed(file):
        trust(file, digest, commit=commit)
    verify_sha256(file, path, digest)


def _require_complete(file: WeightFile, part: Path, stated: _HubStatement) -> None:
    """Raise DownloadFailed if the hub states another SHA-256 than that of the downloaded file.

    This happens if a download is resumed after the hub's file has changed.
    """
    if file.sha256 is None and stated.sha256 not in (None, cached_sha256(part)):
        raise DownloadFailed(
            f"The download of {file.repository}/{file.filename} is damaged: it does not have the "
            "SHA-256 that the hub states. Run the command again to download the file from the "
            "beginning"
        )


def _download(file: WeightFile, output: IO[bytes], progress: Progress) -> _HubStatement:
    """Download the rest of the file into `output`, and reconnect if the connection breaks."""
    from huggingface_hub import constants, hf_hub_url

    if constants.HF_HUB_OFFLINE:
        raise OSError("HF_HUB_OFFLINE is set")
    trusted = first_use(file) if file.sha256 is None else None
    commit = (trusted and trusted.commit) or file.commit
    url = hf_hub_url(file.repository, file.filename, revision=commit)
    stated = _HubStatement()
    tries_left = TRIES
    while tries_left:
        size_before = output.tell()
        try:
            _resume(url, output, progress, stated)
        except httpx.TransportError:
            tries_left = TRIES if output.tell() > size_before else tries_left - 1
            if not tries_left:
                raise
        else:
            break
    return stated


def _resume(url: str, output: IO[bytes], progress: Progress, stated: _HubStatement) -> None:
    """Append the missing part of the file at `url` to `output`, and update `stated`.

    Raises httpx.HTTPError if the request fails. If `output` is larger than the file, `output` is
    emptied and httpx.RemoteProtocolError is raised.
    """
    size = output.tell()
    headers = {"Accept-Encoding": "identity", "Range": f"bytes={size}-"}
    with httpx.stream(
        "GET", url, headers=headers, follow_redirects=True, timeout=_TIMEOUT_SECONDS
    ) as response:
        for answer in (*response.history, response):
            stated.commit = answer.headers.get("X-Repo-Commit", stated.commit)
            if linked := _SHA256.fullmatch(answer.headers.get("X-Linked-ETag", "")):
                stated.sha256 = linked[1]
        range_total = re.search(r"/(\d+)$", response.headers.get("Content-Range", ""))
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            if range_total and int(range_total[1]) == size:
                return  # The file was already complete, but not yet verified.
            output.truncate(0)
            raise httpx.RemoteProtocolError("the partial download is larger than the file")
        response.raise_for_status()
        if response.status_code != httpx.codes.PARTIAL_CONTENT:
            output.truncate(0)
            size = 0
        total = (
            int(range_total[1]) if range_total else int(response.headers.get("Content-Length", 0))
        )
        for block in response.iter_bytes(_BLOCK_BYTES):
            output.write(block)
            size += len(block)
            progress(size // 1_000_000, total // 1_000_000)
