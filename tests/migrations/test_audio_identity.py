"""A library from before 0028 gets audio identities at the next ingest, and can be downgraded."""

import hashlib
import shutil
from pathlib import Path

import mutagen

from mirpipe.db.migrate import downgrade, migrate
from mirpipe.stages.ingest import ingest
from tests.migrations.queries import rows
from tests.support import encoded_audio
from tests.support.databases import Database

TRACKS = (
    "SELECT title, labels ->> 'genre', content_kind, encode(content_sha256, 'hex'), state "
    "FROM mirpipe.track ORDER BY title"
)


def test_tracks_keep_their_ids_titles_and_identities(
    fresh_database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "music"
    folder.mkdir()
    for seed in range(2):
        content = encoded_audio.encode("FLAC", encoded_audio.music(seed=seed))
        (folder / f"{seed}.flac").write_bytes(content)
    shutil.copy(folder / "0.flac", folder / "copy.flac")
    tags = mutagen.File(folder / "0.flac", easy=True)
    tags.update(title="A title", genre="Jazz")
    tags.save()
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("path,title,genre\nmusic/1.flac,From the manifest,Folk\n")
    ingest([folder], collection="reference", manifest=manifest)
    before = rows(fresh_database, TRACKS)
    assert [row[:3] for row in before] == [
        ("A title", "Jazz", "samples"),
        ("From the manifest", "Folk", "samples"),
    ]

    downgrade("0027")
    hashes = [
        hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ("0.flac", "1.flac")
    ]
    stored = "SELECT encode(content_sha256, 'hex') FROM mirpipe.track ORDER BY title"
    assert [row[0] for row in rows(fresh_database, stored)] == hashes

    migrate()
    assert {row[2] for row in rows(fresh_database, TRACKS)} == {"file"}
    result = ingest([folder], collection="reference")
    assert (result.seen, result.added, result.gone, result.relabelled) == (3, 0, 0, 0)
    assert rows(fresh_database, TRACKS) == before
