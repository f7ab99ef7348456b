"""Ingest: after any history of retagged, moved, copied and deleted files, the tables are the same.

They equal those of a first ingest of the files, and no audio is embedded twice.
"""

import shutil
from pathlib import Path

import mutagen
import numpy as np
import pytest
from sqlalchemy import text

from mirpipe.db.store.recompute_and_compare import differences
from mirpipe.stages.embed import embed
from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve
from tests.stages.ingest.tables import Rows, ingest_references, query
from tests.support import encoded_audio
from tests.support.databases import Database

CHANGES = ["add", "retag", "retag", "move", "copy", "delete", "ingest", "manifest"]


def change_files(rng: np.random.Generator, folder: Path, kind: str) -> None:
    """Make one random change to the files in the folder."""
    files = sorted(folder.rglob("*.flac"))
    new = folder / f"{'ab'[rng.integers(2)]}" / f"{rng.integers(10_000):04}.flac"
    new.parent.mkdir(parents=True, exist_ok=True)
    if kind == "add" or not files:
        samples = encoded_audio.music(1.0, seed=int(rng.integers(6)), rate=8000)
        new.write_bytes(encoded_audio.encode("FLAC", samples, rate=8000))
        return
    path = files[rng.integers(len(files))]
    if kind == "retag":
        tags = mutagen.File(path, easy=True)
        tags["title"] = f"title {rng.integers(3)}"
        tags["genre"] = [f"genre {n}" for n in rng.integers(3, size=rng.integers(1, 3))]
        tags.save()
    elif kind == "move":
        path.rename(new)
    elif kind == "copy":
        shutil.copy(path, new)
    elif kind == "delete":
        path.unlink()


def usable_tables(database: Database) -> list[Rows]:
    """Return the rows of existing tracks and files, without ids, paths of gone files and times."""
    return [
        query(
            database,
            "SELECT content_sha256::text, content_kind, title, labels::text, labels_from, "
            "seconds, sample_rate, channels, rms_dbfs, md5(peaks) FROM mirpipe.track "
            "LEFT JOIN mirpipe.waveform USING (track_id) WHERE state = 'ok' ORDER BY 1",
        ),
        query(
            database,
            "SELECT f.path_text, t.content_sha256::text, f.format, f.bytes, f.mtime_ns, "
            "f.ctime_ns, f.file_sha256::text, f.tags::text, f.manifest_row::text, f.reason "
            "FROM mirpipe.track_file f LEFT JOIN mirpipe.track t USING (track_id) "
            "WHERE f.gone_at IS NULL ORDER BY 1",
        ),
    ]


@pytest.mark.usefixtures("_tiny_encoder")
@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 6))]
)
def test_any_history_ends_in_the_tables_of_a_first_ingest(
    fresh_database: Database, tmp_path: Path, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    folder = tmp_path / "music"
    change_files(rng, folder, "add")
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("path,title,genre\nmusic/a/0001.flac,One,folk\n")
    for _ in range(30):
        kind = str(rng.choice(CHANGES))
        if kind == "ingest":
            ingest_references(folder, allow_removal=True, manifest=manifest)
        elif kind == "manifest":
            rows = [
                f"{path.relative_to(tmp_path)},Row {rng.integers(3)},folk"
                for path in sorted(folder.rglob("*.flac"))
            ]
            manifest.write_text("\n".join(["path,title,genre", *rows]))
        else:
            change_files(rng, folder, kind)
    ingest_references(folder, allow_removal=True, manifest=manifest)
    for stage in (lambda: embed(["tiny"], batch_tracks=8), retrieve, lambda: report(trigger="t")):
        stage()
    with fresh_database.app.connect() as connection:
        assert list(differences(connection)) == []
    history = usable_tables(fresh_database)
    with fresh_database.owner.begin() as connection:
        connection.execute(
            text("TRUNCATE mirpipe.track, mirpipe.track_file, mirpipe.failure CASCADE")
        )
    ingest_references(folder, allow_removal=True, manifest=manifest)
    assert usable_tables(fresh_database) == history
