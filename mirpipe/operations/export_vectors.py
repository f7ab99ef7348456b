"""Exports the vectors of one encoder revision to a Parquet file."""

import os
from pathlib import Path

from pyarrow import parquet
from sqlalchemy import Connection

from mirpipe import registry
from mirpipe.db.queries.vectors_by_content import (
    StoredRevision,
    revisions_with_vectors,
    tracks_by_content,
    vectors_by_content,
)
from mirpipe.db.snapshot import open_snapshot
from mirpipe.errors import ConfigurationError, MirpipeError
from mirpipe.files.durable_write import sync_file, sync_folder
from mirpipe.operations import vector_file
from mirpipe.operations.described_tracks import DescribedTrack
from mirpipe.operations.output_file import require_writable
from mirpipe.specs import EncoderSpec


def export_vectors(encoder: str, file: Path, *, with_tracks: bool = True) -> int:
    """Write the vectors of all usable tracks to a file, and return their number.

    With `with_tracks`, the file also describes the references and targets. The vectors are those of
    the active revision or, if there is none, of the configured one. The file replaces an older one
    when it is complete. Equal libraries give equal files. Raises ConfigurationError if the encoder
    has no vectors, or only those of an older mirpipe, and MirpipeError if the file cannot be
    written.
    """
    if not file.name or file.is_dir():
        raise MirpipeError(
            f"{file} is a folder. Give the name of a file, such as {encoder}.parquet."
        )
    require_writable(file)
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    with open_snapshot("app") as connection:
        revisions = revisions_with_vectors(connection)
        if encoder not in revisions:
            raise ConfigurationError(
                f"There are no vectors of {encoder!r}. Encoders with vectors: "
                f"{', '.join(revisions) or 'none yet'}."
            )
        stored = revisions[encoder]
        spec = _current_spec(encoder, stored)
        schema = vector_file.schema(spec, stored.revision, with_tracks=with_tracks)
        rows = 0
        try:
            with parquet.ParquetWriter(
                partial, schema, compression="zstd", write_page_checksum=True
            ) as writer:
                blocks = vectors_by_content(connection, stored.encoder_id, dimension=spec.dimension)
                for hashes, vectors in blocks:
                    tracks = _tracks(connection, hashes) if with_tracks else []
                    writer.write_batch(vector_file.record_batch(schema, hashes, vectors, tracks))
                    rows += len(hashes)
            sync_file(partial)
            partial.rename(file)
            sync_folder(file.parent)
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else error
            raise MirpipeError(f"Cannot write {file}: {reason}. Choose another file.") from None
        finally:
            partial.unlink(missing_ok=True)
    return rows


def _tracks(connection: Connection, hashes: list[bytes]) -> list[list[DescribedTrack]]:
    """Return the tracks with each content. The list of a clip is empty."""
    found = tracks_by_content(connection, hashes)
    return [[DescribedTrack(**values) for values in found.get(each, [])] for each in hashes]


def _current_spec(encoder: str, stored: StoredRevision) -> EncoderSpec:
    """Return the spec of the stored revision.

    Raises ConfigurationError if an older mirpipe has computed the vectors. Their revision does not
    follow from the spec and the present way of decoding, so no library could import them.
    """
    try:
        spec = EncoderSpec(**stored.spec)  # type: ignore[arg-type]  # stored by register_encoder
    except TypeError:
        spec = None
    if spec is None or registry.revision(spec) != stored.revision:
        raise ConfigurationError(
            f"The vectors of {encoder} were computed by an older mirpipe. Run `mirpipe run` first, "
            "which computes those of this version."
        )
    return spec
