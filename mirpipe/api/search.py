"""Search by an uploaded audio file, in a process of its own."""

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import BoundedSemaphore
from typing import Annotated

from fastapi import APIRouter, File, HTTPException, Query, UploadFile

from mirpipe.api.values import Neighbours
from mirpipe.db.queries.vector_search import NearReference, searchable_revisions
from mirpipe.files.printable_path import printable_path
from mirpipe.search_process import MAX_FILE_BYTES, SearchBusy, search_by_file

router = APIRouter(tags=["search"])

MAX_SEARCHES = 4
"""Number of searches that may run or wait. More would keep the threads of all other requests."""
_places = BoundedSemaphore(MAX_SEARCHES)


@dataclass(frozen=True, kw_only=True)
class FoundReference(NearReference):
    """A reference that is similar to an uploaded file."""

    imported: bool
    """Whether vectors of the revision were imported from a file, so that their origin is unknown.
    """


@router.post("/search", summary="Find the references that are similar to an audio file")
def search(
    file: Annotated[UploadFile, File(description="Audio file of up to 100 MB. It is not stored.")],
    encoder: Annotated[str, Query(description="Name of an encoder.")],
    k: Neighbours = 10,
) -> list[FoundReference]:
    """Return the k most similar references. Searches run one at a time."""
    revision = next((each for each in searchable_revisions() if each.encoder == encoder), None)
    if revision is None:
        raise HTTPException(
            404, f"There is no encoder {encoder!r}. GET /v1/encoders lists all encoders."
        )
    if file.size is not None and file.size > MAX_FILE_BYTES:
        raise HTTPException(
            413, f"The file is larger than {MAX_FILE_BYTES // 2**20} MB. Send a shorter file."
        )
    if not _places.acquire(blocking=False):
        raise SearchBusy("Other searches are still running. Try again later.")
    try:
        found = _search(file, encoder, k)
    finally:
        _places.release()
    return [FoundReference(**asdict(each), imported=revision.imported) for each in found]


def _search(file: UploadFile, encoder: str, k: int) -> list[NearReference]:
    name = printable_path(file.filename or "the file")
    with TemporaryDirectory(prefix="mirpipe-query-") as folder:
        path = Path(folder) / "uploaded-audio-file"
        with path.open("wb") as copy:
            shutil.copyfileobj(file.file, copy)
        return search_by_file(path, name=name, encoder=encoder, k=k)
