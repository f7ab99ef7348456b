"""Exports the library as a retrieval dataset in the layout that MTEB's audio tasks read.

The targets are the queries and the references are the corpus. A reference is relevant to a target
if both share a label. Source of the layout: mteb 2.26, `RetrievalDatasetLoader`; datasets on the
Hugging Face Hub, such as `mteb/ESC50AudioReranking`, have the same one.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
import yaml
from pyarrow import parquet
from sqlalchemy import Connection

from mirpipe.db.queries.retrieval_dataset import (
    DatasetTrack,
    Label,
    RankedEncoder,
    dataset_tracks,
    ranked_encoders,
    rankings,
    relevant_pairs,
)
from mirpipe.db.queries.view_snapshot import long_snapshot
from mirpipe.errors import MirpipeError
from mirpipe.files.durable_write import sync_file
from mirpipe.files.printable_path import printable_path
from mirpipe.operations.export_folder import locked_folder, publish
from mirpipe.storage.local_copies import local_copy

SPLIT = "test"
_FILE = f"{SPLIT}-00000-of-00001.parquet"
_COLLECTIONS = {"corpus": "reference", "queries": "target"}
_METADATA = ("title", "genre", "instrument", "work")
_LIST = ".files.json"
"""File that lists what the export has written, because MTEB may add files to the same folders."""
MAX_BATCH_BYTES = 64 * 2**20
"""Size of the audio files in memory after which a row group is written."""

_STRING = {"dtype": "string", "_type": "Value"}
_TRACK_FEATURES = {
    "id": _STRING,
    "audio": {"_type": "Audio"},
    "metadata": dict.fromkeys(_METADATA, _STRING),
}
_TRACK_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("audio", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
        ("metadata", pa.struct([(name, pa.string()) for name in _METADATA])),
    ],
    # The library `datasets` reads the types of the columns from here.
    metadata={"huggingface": json.dumps({"info": {"features": _TRACK_FEATURES}})},
)
_QRELS_SCHEMA = pa.schema(
    [("query-id", pa.string()), ("corpus-id", pa.string()), ("score", pa.int64())]
)


def export_mteb(folder: Path, *, with_audio: bool, same_recording_counts: bool) -> dict[str, int]:
    """Write the dataset to the folder, and return the number of rows by part.

    `corpus/` and `queries/` contain the tracks with their labels. With `with_audio`, they contain
    the audio files; otherwise, they contain the paths. Files in buckets, and paths that are not
    UTF-8, are always contained as files. `qrels/LABEL/` contains the relevant pairs, and
    `predictions/ENCODER.json` the matches of the latest run. README.md lists the configurations:
    one for each label with a relevant pair.

    All rows come from one snapshot. The files are moved to `folder` when the last one is complete,
    README.md at the end. After that, files of an earlier export that are not written any more are
    deleted. Raises ConfigurationError if `folder` is not a folder, and MirpipeError if another
    export is writing there, if no pair is relevant or if an audio file cannot be read.
    """
    counts = dict.fromkeys(_COLLECTIONS, 0)
    with locked_folder(folder) as partial, long_snapshot() as connection:
        labels = []
        for label in get_args(Label):
            pairs = relevant_pairs(connection, label, same_recording_counts=same_recording_counts)
            counts[f"{label}-qrels"] = _write_qrels(partial / "qrels" / label / _FILE, pairs)
            if counts[f"{label}-qrels"]:
                labels.append(label)
        if not labels:
            raise MirpipeError(
                "No reference with a file shares a genre, an instrument or a work with a target "
                "that has a file, so MTEB could measure nothing. Label the tracks of both "
                "collections by tags or a manifest, run `mirpipe ingest` on their recordings, then "
                "export again."
            )
        for part, collection in _COLLECTIONS.items():
            tracks = dataset_tracks(connection, collection)  # type: ignore[arg-type]
            counts[part] = _write_tracks(partial / part / _FILE, tracks, with_audio=with_audio)
        for encoder in ranked_encoders(connection):
            _write_predictions(partial / "predictions", connection, encoder, labels)
        earlier = _listed(folder)
        written = {str(file.relative_to(partial)) for file in partial.rglob("*") if file.is_file()}
        # If the moves are stopped, the next export has to know the files of both exports. The list
        # is moved first, because its name is the first one.
        _write_list(partial, earlier | written)
        publish(partial, folder)
        (partial / "README.md").write_text(_readme(labels), encoding="utf-8")
        publish(partial, folder)
        _delete(folder, earlier - written)
        _write_list(partial, written)
        publish(partial, folder)
    return counts


def _write_tracks(file: Path, batches: Iterator[list[DatasetTrack]], *, with_audio: bool) -> int:
    count = size = 0
    rows: list[dict[str, Any]] = []
    file.parent.mkdir(parents=True)
    with parquet.ParquetWriter(file, _TRACK_SCHEMA, compression="zstd") as writer:
        for batch in batches:
            for track in batch:
                audio = _audio(track, with_audio=with_audio)
                metadata = {name: getattr(track, name) for name in _METADATA}
                rows.append({"id": track.content_sha256, "audio": audio, "metadata": metadata})
                size += len(audio["bytes"] or b"")
                if size > MAX_BATCH_BYTES:
                    writer.write_batch(pa.RecordBatch.from_pylist(rows, _TRACK_SCHEMA))
                    rows, size = [], 0
            count += len(batch)
            writer.write_batch(pa.RecordBatch.from_pylist(rows, _TRACK_SCHEMA))
            rows, size = [], 0
    sync_file(file)
    return count


def _audio(track: DatasetTrack, *, with_audio: bool) -> dict[str, Any]:
    """Return the value of the audio column: the path, or the content and the name of the file."""
    path = track.path
    is_utf8 = not any("\udc80" <= character <= "\udcff" for character in str(path))
    if isinstance(path, Path) and is_utf8 and not with_audio:
        return {"bytes": None, "path": str(path)}
    try:
        with local_copy(path, track.etag) as copy:
            return {"bytes": copy.read_bytes(), "path": track.content_sha256 + copy.suffix}
    except OSError as error:
        raise MirpipeError(
            f"Cannot read {printable_path(path)}: {error.strerror}. If the file was moved or "
            "deleted, run `mirpipe ingest` on its folder, and export again."
        ) from None


def _write_qrels(file: Path, batches: Iterator[list[tuple[str, str]]]) -> int:
    count = 0
    file.parent.mkdir(parents=True)
    with parquet.ParquetWriter(file, _QRELS_SCHEMA, compression="zstd") as writer:
        for pairs in batches:
            queries, references = zip(*pairs, strict=True)
            columns = [pa.array(queries), pa.array(references), pa.array([1] * len(pairs))]
            writer.write_batch(pa.record_batch(columns, schema=_QRELS_SCHEMA))
            count += len(pairs)
    if count:
        sync_file(file)
    else:
        file.unlink()
    return count


def _write_predictions(
    folder: Path, connection: Connection, encoder: RankedEncoder, labels: list[str]
) -> None:
    """Write the matches of an encoder as `convert_to_reranking` of MTEB's retrieval tasks reads.

    The file is written target by target, because a library can have many targets.
    """
    folder.mkdir(exist_ok=True)
    model = {"model_name": encoder.encoder, "revision": encoder.revision}
    file = folder / f"{encoder.encoder}.json"
    with file.open("w", encoding="utf-8") as output:
        output.write(f'{{"mteb_model_meta": {json.dumps(model)}')
        for label in labels:
            output.write(f', "{label}": {{"{SPLIT}": {{')
            for number, (target, matches) in enumerate(rankings(connection, encoder.encoder_id)):
                output.write(f'{", " if number else ""}"{target}": {json.dumps(matches)}')
            output.write("}}")
        output.write("}\n")
    sync_file(file)


def _readme(labels: list[str]) -> str:
    """Return the dataset card, whose first part lists the configurations for `datasets`."""
    configs = [
        {
            "config_name": f"{label}-{part}",
            "data_files": [{"split": SPLIT, "path": f"{path}/{SPLIT}-*"}],
        }
        for label in labels
        for part, path in (
            ("corpus", "corpus"),
            ("queries", "queries"),
            ("qrels", f"qrels/{label}"),
        )
    ]
    card = yaml.safe_dump({"configs": configs, "tags": ["mteb", "audio"]}, sort_keys=False)
    return (
        f"---\n{card}---\n\n# Music library as a retrieval dataset\n\n"
        "Written by `mirpipe export --mteb`. Queries are the target tracks, and the corpus is the "
        "reference library. A reference is relevant if it shares the label with the query. The "
        "files in `predictions/` contain the matches of each encoder with their cosines.\n"
    )


def _listed(folder: Path) -> set[str]:
    """Return the files that earlier exports have written, relative to the folder."""
    file = folder / _LIST
    return set(json.loads(file.read_bytes())) if file.exists() else set()


def _write_list(folder: Path, files: set[str]) -> None:
    (folder / _LIST).write_text(json.dumps(sorted(files)), encoding="utf-8")
    sync_file(folder / _LIST)


def _delete(folder: Path, files: set[str]) -> None:
    """Delete those of the files that are qrels or predictions."""
    for pattern in (f"qrels/*/{_FILE}", "predictions/*.json"):
        for file in folder.glob(pattern):
            if str(file.relative_to(folder)) in files:
                file.unlink()
