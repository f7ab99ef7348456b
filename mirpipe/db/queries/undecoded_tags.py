"""The files whose tags do not state their encoding reliably."""

from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows


@dataclass(frozen=True)
class UndecodedFile:
    """A file with tags whose encoding was guessed or set."""

    track_id: int
    title: str
    """Title of the track."""
    collection: str
    path: str
    """Path as a single line of printable characters."""
    encoding: str | None
    """Encoding by which the tags are decoded. None until the end of the next ingest."""
    guessed: bool | None
    """Whether the encoding was guessed. If not, it was set, or is that of Western languages."""
    from_tags: bool
    """Whether title and labels come from the tags. If not, they come from a manifest."""
    values: dict[str, list[str]]
    """Undecoded values by field, with one Latin-1 character per byte."""


_SELECT = """
    SELECT t.track_id, t.title, f.collection, f.path_text AS path,
        f.tag_encoding AS encoding, f.tag_encoding_guessed AS guessed,
        t.labels_from IS NOT DISTINCT FROM 'tags' AS from_tags,
        f.undecoded_tags AS values
    FROM mirpipe.track_file f JOIN mirpipe.track t USING (track_id)
    WHERE f.undecoded_tags IS NOT NULL AND f.gone_at IS NULL
"""
_ORDER = "ORDER BY f.path, f.collection"
_FILES = text(f"{_SELECT} AND substring(f.path FOR octet_length(:prefix)) = :prefix {_ORDER}")
_GUESSED = f"{_SELECT} AND f.tag_encoding_guessed AND t.labels_from = 'tags'"
_GUESSED_FILES = text(f"{_GUESSED} {_ORDER} LIMIT :limit OFFSET :offset")
_NUMBER = text(f"SELECT count(*) AS n FROM ({_GUESSED}) guessed")


@dataclass(frozen=True)
class _Number:
    n: int


def undecoded_files(folder: bytes | None = None) -> list[UndecodedFile]:
    """Return the existing files in `folder` and its subfolders, or all files, sorted by path."""
    prefix = b"" if folder is None else folder.rstrip(b"/") + b"/"
    return read_rows(UndecodedFile, _FILES, prefix=prefix)


def guessed_files(*, limit: int | None = None, offset: int = 0) -> list[UndecodedFile]:
    """Return the existing files with titles from tags whose encoding was guessed, sorted by path.

    At most `limit` files are returned, after the first `offset` ones.
    """
    return read_rows(UndecodedFile, _GUESSED_FILES, limit=limit, offset=offset)


def guessed_files_n() -> int:
    """Return the number of files that `guessed_files` returns without a limit."""
    [row] = read_rows(_Number, _NUMBER)
    return row.n
