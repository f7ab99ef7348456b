"""Fetches weights from the Hugging Face hub, or a mirror of it, into the folder of models."""

from pathlib import Path

import httpx

from mirpipe import fingerprints, weights
from mirpipe.errors import MirpipeError, Unavailable
from mirpipe.records import WeightFile


class NotFetched(MirpipeError):
    """Weights could not be fetched."""


def fetch(file: WeightFile) -> Path:
    """The file in the folder of models, fetched where it is not there yet, and checked.

    Shows progress on stderr and goes on where a broken download stopped; the file appears under its
    name when it is whole. HF_ENDPOINT names a mirror and HF_HUB_OFFLINE=1 forbids it. Raises
    NotFetched, and Unavailable where the bytes are not those that they must be.
    """
    from huggingface_hub import hf_hub_download

    folder = weights.folder() / file.repository
    path = folder / file.filename
    if not path.is_file():
        try:
            hf_hub_download(file.repository, file.filename, revision=file.commit, local_dir=folder)
        except (OSError, httpx.HTTPError) as error:
            raise NotFetched(
                f"{file.repository}/{file.filename} could not be fetched: {error}. Behind a mirror "
                f"set HF_ENDPOINT; without a network put the file at {path}"
            ) from error
    try:
        weights.hold_to(file, fingerprints.sha256(path), path)
    except Unavailable:
        path.unlink()
        raise
    return path
