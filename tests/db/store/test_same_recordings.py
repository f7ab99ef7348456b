"""Candidates are found by the index of codes, and tracks with too few common codes are left out."""

from collections.abc import Sequence

import numpy as np
import pytest
from sqlalchemy import Connection, text

from mirpipe.db.store import same_recordings
from mirpipe.db.store.same_recordings import ComparedFingerprint, find_pairs
from mirpipe.records import UInt32
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary


def values(count: int, *, seed: int) -> UInt32:
    return np.random.default_rng(seed).integers(0, 2**32, count, dtype=np.uint32)


def add(
    library: SyntheticLibrary, title: str, frames: UInt32, codes: Sequence[int], revision: str = "r"
) -> ComparedFingerprint:
    """Store a track with this fingerprint and these codes."""
    track_id = library.add("reference", title, [1, 0, 0])
    library.execute(
        "INSERT INTO mirpipe.fingerprint (track_id, revision, frames, codes) "
        "VALUES (:track_id, :revision, :frames, :codes)",
        track_id=track_id,
        revision=revision,
        frames=frames.tobytes(),
        codes=list(codes),
    )
    return ComparedFingerprint(track_id, revision, frames.tobytes(), codes)


@pytest.mark.parametrize(
    ("codes_n", "common", "is_found"),
    [(128, 0, False), (128, 1, True), (129, 1, False), (129, 2, True)],
)
def test_long_tracks_need_two_common_codes(
    fresh_database: Database, codes_n: int, common: int, is_found: bool
) -> None:
    library = SyntheticLibrary(fresh_database.app)
    frames = values(200, seed=1)
    track = add(library, "track", frames, range(codes_n))
    add(library, "other", frames, range(codes_n - common, 2 * codes_n - common))
    with fresh_database.app.connect() as connection:
        assert bool(list(find_pairs(connection, track))) == is_found


def test_fingerprints_of_two_revisions_are_not_compared(fresh_database: Database) -> None:
    library = SyntheticLibrary(fresh_database.app)
    frames = values(200, seed=1)
    track = add(library, "track", frames, range(200))
    add(library, "other", frames, range(200), revision="another")
    with fresh_database.app.connect() as connection:
        assert list(find_pairs(connection, track)) == []


def plan_of(connection: Connection, query: str, parameters: dict[str, object]) -> str:
    return "\n".join(connection.execute(text(f"EXPLAIN {query}"), parameters).scalars())


def test_a_new_track_is_looked_up_in_the_index(fresh_database: Database) -> None:
    with fresh_database.owner.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO mirpipe.track (collection, content_sha256, title, state, "
                "seconds, sample_rate, channels, rms_dbfs) SELECT 'reference', "
                "sha256(int4send(n)), n, 'ok', 30, 44100, 2, -20 "
                "FROM generate_series(1, 8000) n"
            )
        )
        connection.execute(
            text(
                "INSERT INTO mirpipe.fingerprint (track_id, revision, frames, codes) "
                "SELECT track_id, 'r', '\\x00', ARRAY(SELECT (random() * 2e9)::integer "
                "FROM generate_series(track_id, track_id + 100)) FROM mirpipe.track"
            )
        )
        connection.execute(text("SELECT gin_clean_pending_list('mirpipe.fingerprint_codes_idx')"))
        connection.execute(text("ANALYZE mirpipe.fingerprint"))
        parameters: dict[str, object] = {"codes": list(range(100)), "track_id": 1}
        query = str(same_recordings._TRACKS_WITH_COMMON_CODES)
        lookup = plan_of(connection, query, parameters)
        assert "Bitmap Index Scan on fingerprint_codes_idx" in lookup
        assert "Seq Scan" not in lookup
        candidates = {"track_ids": [1, 2], "common": [3, 3], "codes_n": 9, "short": 1}
        query = str(same_recordings._CANDIDATES)
        assert "Seq Scan" not in plan_of(connection, query, candidates | {"revision": "r"})
