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


_FILES = text("""
    SELECT t.track_id, t.title, f.collection, f.path_text AS path,
        f.tag_encoding AS encoding, f.tag_encoding_guessed AS guessed,
        t.labels_from IS NOT DISTINCT FROM 'tags' AS from_tags,
        f.undecoded_tags AS values
    FROM mirpipe.track_file f JOIN mirpipe.track t USING (track_id)
    WHERE f.undecoded_tags IS NOT NULL AND f.gone_at IS NULL
        AND substring(f.path FOR octet_length(:prefix)) = :prefix
    ORDER BY f.path, f.collection
""")


def undecoded_files(folder: bytes | None = None) -> list[UndecodedFile]:
    """Return the existing files in `folder` and its subfolders, or all files, sorted by path."""
    prefix = b"" if folder is None else folder.rstrip(b"/") + b"/"
    return read_rows(UndecodedFile, _FILES, prefix=prefix)
