"""Exports the vectors of one encoder revision to a Parquet file."""

import os
from pathlib import Path

from pyarrow import parquet

from mirpipe.db.queries.vectors_by_content import revisions_with_vectors, vectors_by_content
from mirpipe.db.snapshot import open_snapshot
from mirpipe.errors import ConfigurationError, MirpipeError
from mirpipe.files.durable_write import sync_file, sync_folder
from mirpipe.operations import vector_file
from mirpipe.specs import EncoderSpec


def export_vectors(encoder: str, file: Path) -> int:
    """Write the vectors of all usable tracks to a file, and return their number.

    The vectors are those of the active revision or, if there is none, of the configured one. The
    file replaces an older one when it is complete. Equal vectors give equal files. Raises
    ConfigurationError if the encoder has no vectors, and MirpipeError if the file cannot be
    written.
    """
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    with open_snapshot("app") as connection:
        revisions = revisions_with_vectors(connection)
        if encoder not in revisions:
            raise ConfigurationError(
                f"There are no vectors of {encoder!r}. Encoders with vectors: "
                f"{', '.join(revisions) or 'none yet'}."
            )
        stored = revisions[encoder]
        spec = EncoderSpec(**stored.spec)  # type: ignore[arg-type]  # stored by register_encoder
        schema = vector_file.schema(spec, stored.revision)
        rows = 0
        try:
            with parquet.ParquetWriter(
                partial, schema, compression="zstd", write_page_checksum=True
            ) as writer:
                for hashes, vectors in vectors_by_content(connection, stored.encoder_id):
                    writer.write_batch(vector_file.record_batch(schema, hashes, vectors))
                    rows += len(hashes)
            sync_file(partial)
            partial.rename(file)
            sync_folder(file.parent)
        except OSError as error:
            raise MirpipeError(f"Cannot write {file}: {error}. Choose another file.") from None
        finally:
            partial.unlink(missing_ok=True)
    return rows
