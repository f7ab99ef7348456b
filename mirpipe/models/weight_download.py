"""Fetches weights from the Hugging Face hub, or a mirror of it, into the folder of models.

Not by the hub's own library: it begins anew with a file of gigabytes whose download was stopped.
"""

import fcntl
import re
from pathlib import Path
from typing import IO

import httpx

from mirpipe.errors import MirpipeError
from mirpipe.models import file_hash_cache, weight_files
from mirpipe.records import Progress
from mirpipe.specs import WeightFile

TRIES = 5
"""Of a connection that breaks off without having brought anything."""
_TIMEOUT_SECONDS = 60
_BLOCK_BYTES = 1 << 20


class NotFetched(MirpipeError):
    """Weights could not be fetched."""


def fetch(file: WeightFile, *, progress: Progress | None = None) -> Path:
    """The file, fetched into the folder of models where it is nowhere yet, and checked.

    A download that was stopped goes on where it was; the file appears under its name when it is
    whole and holds what it must. HF_ENDPOINT names a mirror, HF_HUB_OFFLINE=1 forbids it. Raises
    NotFetched, and Unavailable where the bytes are not those that they must be.
    """
    found = weight_files.find(file)
    if found and not found.random:
        weight_files.hold_to(file, file_hash_cache.sha256(found.path), found.path)
        return found.path
    path = weight_files.folder() / file.repository / file.filename
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    with part.open("ab") as output:
        fcntl.flock(output, fcntl.LOCK_EX)  # who comes second goes on where the first ended
        if path.is_file():
            return path
        try:
            _download(file, output, progress or (lambda _done, _total: None))
        except (httpx.HTTPError, OSError) as error:
            raise NotFetched(
                f"{file.repository}/{file.filename} could not be fetched: "
                f"{error or type(error).__name__}. Behind a mirror set HF_ENDPOINT; without a "
                f"network put the file at {path}"
            ) from error
        try:
            weight_files.hold_to(file, file_hash_cache.sha256(part), part)
        except MirpipeError:
            part.unlink()
            raise
        part.replace(path)
    return path


def _download(file: WeightFile, output: IO[bytes], progress: Progress) -> None:
    from huggingface_hub import constants, hf_hub_url

    if constants.HF_HUB_OFFLINE:
        raise OSError("HF_HUB_OFFLINE forbids it")
    url = hf_hub_url(file.repository, file.filename, revision=file.commit)
    tries = TRIES
    while tries:
        before = output.tell()
        try:
            _go_on(url, output, progress)
        except httpx.TransportError:
            tries = TRIES if output.tell() > before else tries - 1
            if not tries:
                raise
        else:
            return


def _go_on(url: str, output: IO[bytes], progress: Progress) -> None:
    """Appends what is missing of the file at `url`."""
    here = output.tell()
    asked = {"Accept-Encoding": "identity", "Range": f"bytes={here}-"}
    with httpx.stream(
        "GET", url, headers=asked, follow_redirects=True, timeout=_TIMEOUT_SECONDS
    ) as answer:
        total = re.search(r"/(\d+)$", answer.headers.get("Content-Range", ""))
        if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            if total and int(total[1]) == here:
                return  # it was all here, and only the check was missing
            output.truncate(0)
            raise httpx.RemoteProtocolError("what was here is more than the file")
        answer.raise_for_status()
        if answer.status_code != httpx.codes.PARTIAL_CONTENT:
            output.truncate(0)
            here = 0
        size = int(total[1]) if total else int(answer.headers.get("Content-Length", 0))
        for block in answer.iter_bytes(_BLOCK_BYTES):
            output.write(block)
            here += len(block)
            progress(here // 1_000_000, size // 1_000_000)
