"""The Parquet file in which libraries exchange the vectors of one encoder revision.

Columns: `content_sha256` (32 bytes), `embedding` (D float32 values of length 1) and, if the file
describes the tracks, `tracks`. The metadata contains the encoder's spec, the revision, and the
version of the decoding that the revision depends on, so that a reader can compute the revision from
the spec.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as validated

from mirpipe import registry
from mirpipe.errors import RejectedInput
from mirpipe.operations import described_tracks
from mirpipe.operations.described_tracks import DescribedTrack
from mirpipe.records import Float32, Float64
from mirpipe.specs import DECODING_VERSION, MAX_DIMENSION, EncoderSpec

LENGTH_TOLERANCE = 1e-5
"""Largest difference between 1 and the length of a vector."""
BLOCK_NUMBERS = 1 << 21
"""Number of values that are read at the same time: 8 MiB."""
MAX_TEXT = 1000
"""Largest number of characters of a text in a spec."""

_KEYS = ("encoder_spec", "revision", "decoding_version")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}")
_STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
_SPEC = TypeAdapter(validated(EncoderSpec, frozen=True, config=_STRICT))


@dataclass(frozen=True)
class Header:
    """The encoder revision of a file, and the number of vectors."""

    spec: EncoderSpec
    revision: str
    rows: int
    has_tracks: bool
    """Whether the file describes the tracks."""


@dataclass(frozen=True)
class Block:
    """Rows of a file, in its order."""

    hashes: list[bytes]
    """Content hashes, 32 bytes each."""
    vectors: Float32
    """Shape (n, D)."""
    tracks: list[list[DescribedTrack]]
    """The tracks with each content. Empty lists if the file does not describe them."""


def schema(spec: EncoderSpec, revision: str, *, with_tracks: bool = False) -> pa.Schema:
    """Return the schema of a file with vectors of this revision."""
    values = (json.dumps(asdict(spec)), revision, str(DECODING_VERSION))
    columns = [
        pa.field("content_sha256", pa.binary(32), nullable=False),
        pa.field("embedding", pa.list_(pa.float32(), spec.dimension), nullable=False),
    ]
    columns += [pa.field(described_tracks.COLUMN, described_tracks.TYPE)] if with_tracks else []
    return pa.schema(columns, metadata=dict(zip(_KEYS, values, strict=True)))


def record_batch(
    schema: pa.Schema,
    hashes: list[bytes],
    vectors: Float32,
    tracks: Sequence[Sequence[DescribedTrack]] = (),
) -> pa.RecordBatch:
    """Return the rows of a file: content hashes, vectors with shape (n, D), and their tracks."""
    columns = [
        pa.array(hashes, schema.field("content_sha256").type),
        pa.FixedSizeListArray.from_arrays(
            pa.array(vectors.ravel(), pa.float32()), type=schema.field("embedding").type
        ),
    ]
    if described_tracks.COLUMN in schema.names:
        rows = [[asdict(track) for track in row] for row in tracks]
        columns.append(pa.array(rows, described_tracks.TYPE))
    return pa.record_batch(columns, schema=schema)


def read_header(file: Path) -> Header:
    """Return the encoder revision of a file.

    Raises RejectedInput if the file is not a complete Parquet file of this kind, or if its spec
    does not have the revision that the file names.
    """
    with _open(file) as table:
        metadata = table.schema_arrow.metadata or {}
        missing = [key for key in _KEYS if key.encode() not in metadata]
        if missing:
            raise RejectedInput(
                "not_a_vector_file",
                f"The metadata of the file do not contain {', '.join(missing)}. Write the file "
                "with `mirpipe vectors export`, or as docs/how-to/exchange-vectors.md describes.",
            )
        spec_json, revision, decoding = (
            metadata[key.encode()].decode("utf-8", "replace") for key in _KEYS
        )
        if decoding != str(DECODING_VERSION):
            raise RejectedInput(
                "other_decoding",
                "The vectors were computed by a version of mirpipe that decodes audio in another "
                f"way (decoding version {decoding!r}; this mirpipe has {DECODING_VERSION}). "
                "Compute them again with the same version of mirpipe.",
            )
        spec = _spec(spec_json)
        if registry.revision(spec) != revision:
            raise RejectedInput(
                "wrong_revision",
                f"The file names revision {revision!r}, but its spec has revision "
                f"{registry.revision(spec)}. The spec was changed, or comes from another version "
                "of mirpipe. Export the vectors again with the same version of mirpipe.",
            )
        _require_columns(table.schema_arrow, spec)
        has_tracks = described_tracks.COLUMN in table.schema_arrow.names
        return Header(spec, revision, table.metadata.num_rows, has_tracks)


def read_blocks(file: Path, header: Header) -> Iterator[Block]:
    """Yield the rows of the file in blocks of at most BLOCK_NUMBERS values.

    Raises RejectedInput if a row is invalid or cannot be read. Blocks before it were yielded.
    """
    spec = header.spec
    block_rows = max(1, BLOCK_NUMBERS // spec.dimension)
    first = 0
    columns = ["content_sha256", "embedding"]
    columns += [described_tracks.COLUMN] if header.has_tracks else []
    with _open(file) as table:
        batches = table.iter_batches(block_rows, columns=columns)
        while True:
            try:
                batch = next(batches, None)
            except (OSError, pa.ArrowException) as error:
                raise _unreadable(error) from None
            if batch is None:
                return
            hashes, vectors = (
                _hashes(batch.column(0), first),
                _vectors(batch.column(1), spec, first),
            )
            tracks = _tracks(batch.column(2), first) if header.has_tracks else [[] for _ in hashes]
            yield Block(hashes, vectors, tracks)
            first += len(batch)


def _open(file: Path) -> parquet.ParquetFile:
    """Open the file. Raises RejectedInput if it cannot be read or is incomplete."""
    try:
        with file.open("rb"):
            pass  # The messages of pyarrow contain the path and error numbers.
    except IsADirectoryError:
        raise RejectedInput(
            "unreadable_file", "It is a folder. Give the name of a Parquet file."
        ) from None
    except OSError as error:
        raise RejectedInput(
            "unreadable_file",
            f"It cannot be read: {error.strerror}. Check its path and permissions.",
        ) from None
    try:
        return parquet.ParquetFile(file, page_checksum_verification=True)
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(error) from None


def _unreadable(error: Exception) -> RejectedInput:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    reason = reason.removesuffix(".")
    return RejectedInput(
        "unreadable_file",
        f"It is not a complete Parquet file: {reason}. Copy or export the file again.",
    )


def _spec(spec_json: str) -> EncoderSpec:
    """Return the spec. Raises RejectedInput if it is not a valid one."""
    try:
        spec = EncoderSpec(**asdict(_SPEC.validate_json(spec_json)))
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(map(str, problem["loc"])) or "spec"
        raise _invalid_spec(f"{place}: {problem['msg']}") from None
    if not _NAME.fullmatch(spec.name):
        raise _invalid_spec("name must consist of up to 64 letters, digits and _ . + -")
    if not 1 <= spec.dimension <= MAX_DIMENSION:
        raise _invalid_spec(f"dimension must be 1 to {MAX_DIMENSION:,}")
    for each in fields(spec):
        value = getattr(spec, each.name)
        if isinstance(value, str) and (len(value) > MAX_TEXT or not value.isprintable()):
            raise _invalid_spec(f"{each.name} must be one line of up to {MAX_TEXT:,} characters")
    return spec


def _invalid_spec(problem: str) -> RejectedInput:
    return RejectedInput(
        "invalid_spec",
        f"The encoder's spec in the file is not valid: {problem}. Correct it, or export the "
        "vectors again with the same version of mirpipe.",
    )


def _require_columns(found: pa.Schema, spec: EncoderSpec) -> None:
    """Raise RejectedInput if a column is missing or has another type."""
    types = dict(zip(found.names, found.types, strict=True))
    content, vectors = types.get("content_sha256"), types.get("embedding")
    if content not in (pa.binary(32), pa.binary()):
        raise _wrong_column("content_sha256", "binary values of 32 bytes", content)
    if vectors is None or not _is_list_of(vectors, spec.dimension):
        raise _wrong_column("embedding", f"lists of {spec.dimension} float32 values", vectors)
    tracks = types.get(described_tracks.COLUMN, described_tracks.TYPE)
    if tracks != described_tracks.TYPE:
        raise _wrong_column(described_tracks.COLUMN, str(described_tracks.TYPE), tracks)


def _is_list_of(column: pa.DataType, dimension: int) -> bool:
    """Return whether the type is a list of float32 values that can have this length."""
    if isinstance(column, pa.FixedSizeListType) and column.list_size != dimension:
        return False
    is_list = isinstance(column, pa.ListType | pa.FixedSizeListType)
    return is_list and bool(column.value_type == pa.float32())


def _wrong_column(name: str, expected: str, found: pa.DataType | None) -> RejectedInput:
    actual = "no such column" if found is None else f"the type {found}"
    return RejectedInput(
        "wrong_column", f"The column {name} must contain {expected}, but the file has {actual}."
    )


def _hashes(column: pa.Array, first: int) -> list[bytes]:
    hashes: list[bytes] = column.to_pylist()
    for row, value in enumerate(hashes, start=first):
        if value is None or len(value) != 32:
            raise _invalid_row(row, "the content hash does not have 32 bytes")
    return hashes


def _vectors(column: pa.Array, spec: EncoderSpec, first: int) -> Float32:
    """Return the vectors, shape (n, D). Raises RejectedInput for the first invalid one."""
    lengths = np.array(column.value_lengths().fill_null(0).to_numpy(zero_copy_only=False))
    if (wrong := np.flatnonzero(lengths != spec.dimension)).size:
        row = int(wrong[0])
        raise _invalid_row(
            first + row, f"the vector has {lengths[row]} numbers instead of {spec.dimension}"
        )
    values: Float32 = column.flatten().to_numpy(zero_copy_only=False).astype(np.float32)
    vectors = values.reshape(-1, spec.dimension)
    norms: Float64 = np.linalg.norm(vectors.astype(np.float64), axis=1)
    if (wrong := np.flatnonzero(~np.isfinite(norms))).size:
        raise _invalid_row(first + int(wrong[0]), "the vector has a value that is not finite")
    if (wrong := np.flatnonzero(np.abs(norms - 1) > LENGTH_TOLERANCE)).size:
        row = int(wrong[0])
        raise _invalid_row(
            first + row,
            f"the vector has the length {norms[row]:.6g}. Divide each vector by its length",
        )
    return vectors


def _tracks(column: pa.Array, first: int) -> list[list[DescribedTrack]]:
    """Return the tracks of each row. Raises RejectedInput for the first invalid row."""
    tracks = []
    for row, values in enumerate(column, start=first):
        try:
            tracks.append(described_tracks.parse(values.as_py()))
        except ValueError as error:
            raise _invalid_row(row, str(error)) from None
    return tracks


def _invalid_row(row: int, problem: str) -> RejectedInput:
    return RejectedInput("invalid_row", f"Row {row + 1:,} is not valid: {problem}.")
