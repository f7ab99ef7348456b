"""The list of all tracks: search, filters, order and pages, and what its query reads."""

import unicodedata

import pytest
from sqlalchemy import text

from mirpipe.db.queries.track_list import (
    MAX_COUNTED,
    SORT_COLUMNS,
    TrackFilter,
    found_track_ids,
    listed_tracks,
    listed_tracks_n,
    page_sql,
    parameters,
)
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary

TRACKS = (
    ("reference", "/music/a/1.flac", "Café Étude", {"artist": "Ann", "album": "X"}),
    ("reference", "/music/b/2.flac", "康定情歌（古筝）", {"genre": "folk"}),
    ("target", "/music/c/3.flac", "تجربة", {"instrument": "oud"}),
    ("target", "/music/d/50%_off.flac", "apple", {"artist": "ann", "mood": "Calm Sea"}),
)
MANY = 10_000


@pytest.fixture
def library(fresh_database: Database) -> SyntheticLibrary:
    """Return a library with four tracks. The features of the track apple are measured."""
    made = SyntheticLibrary(fresh_database.app)
    for collection, path, title, labels in TRACKS:
        made.add(collection, path, title=title, labels=labels)
    made.execute("INSERT INTO mirpipe.metric (name, revision, spec) VALUES ('features', '1', '{}')")
    made.execute("""
        INSERT INTO mirpipe.track_feature (metric_id, track_id, tempo_bpm, key, beat_seconds,
            voiced_fraction, notes, onsets_per_second, brightness_hz, reasons)
        SELECT metric_id, track_id, 90, 'A minor', '{}', 1, '', 1, 1, '{}'
        FROM mirpipe.metric, mirpipe.track WHERE title = 'apple'""")
    return made


def titles(search: str = "", **filters: tuple[str, ...]) -> list[str]:
    """Return the titles of the tracks that a search finds, sorted by title."""
    chosen = TrackFilter(search, **filters)
    rows = listed_tracks(chosen)
    assert listed_tracks_n(chosen) == len(rows)
    found = found_track_ids(chosen)
    assert sorted(found) == sorted(row.track_id for row in rows)
    assert listed_tracks(TrackFilter(track_ids=found)) == rows
    return [row.title for row in rows]


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("", ["apple", "Café Étude", "تجربة", "康定情歌（古筝）"]),
        ("APPLE", ["apple"]),
        ("étude café", ["Café Étude"]),
        (unicodedata.normalize("NFD", "étude"), ["Café Étude"]),
        ("情歌", ["康定情歌（古筝）"]),
        ("جرب", ["تجربة"]),
        ("ann", ["apple", "Café Étude"]),
        ("calm apple", ["apple"]),
        ("calm café", []),
        ("/MUSIC/b", ["康定情歌（古筝）"]),
        ("50%_o", ["apple"]),
        ("%", ["apple"]),
        ("\\", []),
        ("mood", []),
    ],
)
@pytest.mark.usefixtures("library")
def test_a_search_finds_all_words_in_titles_labels_and_paths(
    search: str, expected: list[str]
) -> None:
    assert titles(search) == expected


def test_a_search_finds_stored_texts_in_the_other_normal_form(library: SyntheticLibrary) -> None:
    library.add("reference", "nfd", title=unicodedata.normalize("NFD", "Ärger"))
    assert titles("ärger") == [unicodedata.normalize("NFD", "Ärger")]


def test_filters_combine_and_show_states_reasons_and_the_last_path(
    library: SyntheticLibrary,
) -> None:
    library.execute(
        "UPDATE mirpipe.track SET state = 'rejected', reason = 'silent' WHERE title = 'apple'"
    )
    library.execute("UPDATE mirpipe.track SET state = 'gone' WHERE title = 'تجربة'")
    library.execute("UPDATE mirpipe.track_file SET gone_at = now() WHERE path_text LIKE '%/c/%'")
    library.execute(
        "INSERT INTO mirpipe.finding SELECT track_id, n, 'clipping', 'warning', n, 'clipped' "
        "FROM mirpipe.track, generate_series(0, 1) n WHERE title = 'Café Étude'"
    )
    assert titles(states=("gone", "rejected")) == ["apple", "تجربة"]
    assert titles(collections=("target",), states=("ok",)) == []
    assert titles(findings=("clipping", "level")) == ["Café Étude"]
    rejected, gone = listed_tracks(TrackFilter(collections=("target",)))
    assert (rejected.state, rejected.reason) == ("rejected", "silent")
    assert (gone.state, gone.path) == ("gone", "/music/c/3.flac")
    assert listed_tracks(TrackFilter("étude"))[0].findings == ["clipping"]


@pytest.mark.usefixtures("library")
def test_a_row_shows_labels_and_features() -> None:
    (row,) = listed_tracks(TrackFilter("apple"))
    assert (row.artist, row.album, row.tempo_bpm, row.key) == ("ann", "", 90, "A minor")
    assert row.labels == {"artist": "ann", "mood": "Calm Sea"}
    assert len(row.content_sha256) == 64


def test_equal_titles_are_told_apart(library: SyntheticLibrary) -> None:
    library.add("reference", "/music/e/5.flac", title="apple", labels={"artist": "Bo"})
    assert titles("apple") == ["apple (ann)", "apple (Bo)"]


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("sort", SORT_COLUMNS)
@pytest.mark.parametrize("descending", [False, True])
def test_pages_contain_each_track_once_in_one_order(sort: str, descending: bool) -> None:
    def page(**limits: int) -> list[int]:
        rows = listed_tracks(TrackFilter(), sort=sort, descending=descending, **limits)
        return [row.track_id for row in rows]

    complete = page()
    assert len(complete) == len(TRACKS)
    assert [page(limit=1, offset=offset)[0] for offset in range(len(TRACKS))] == complete


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("descending", [False, True])
def test_tracks_without_a_value_come_last(descending: bool) -> None:
    for sort, value in (("tempo", 90), ("key", "A minor"), ("album", "X")):
        rows = listed_tracks(TrackFilter(), sort=sort, descending=descending)
        known = [getattr(row, {"tempo": "tempo_bpm"}.get(sort, sort)) or None for row in rows]
        assert known == [value, None, None, None]


@pytest.mark.usefixtures("library")
def test_artists_are_sorted_without_regard_to_case() -> None:
    rows = listed_tracks(TrackFilter("ann"), sort="artist", descending=True)
    assert [row.artist for row in rows] == ["ann", "Ann"]


def test_tracks_are_sorted_by_the_path_that_is_shown(library: SyntheticLibrary) -> None:
    library.execute(
        "INSERT INTO mirpipe.track_file (collection, path, path_text, track_id, bytes, mtime_ns, "
        "gone_at) SELECT collection, 'old', '/a/old path.flac', track_id, 1, 1, now() "
        "FROM mirpipe.track_file WHERE gone_at IS NULL ORDER BY path_text DESC LIMIT 1"
    )
    shown = [row.path for row in listed_tracks(TrackFilter(), sort="path")]
    assert shown == sorted(shown)


def test_a_page_reads_only_its_own_rows_of_a_large_library(fresh_database: Database) -> None:
    with fresh_database.app.begin() as connection:
        connection.execute(
            text("""
            INSERT INTO mirpipe.track
                (collection, content_sha256, title, labels, seconds, rms_dbfs, state)
            SELECT 'reference', sha256(convert_to(CAST(i AS text), 'UTF8')),
                'Track ' || (i * 7919) % :n, '{"artist": "Ann"}', 60 + i % 500, -20, 'ok'
            FROM generate_series(1, :n) i"""),
            {"n": MANY},
        )
    with fresh_database.owner.begin() as connection:
        connection.execute(text("ANALYZE mirpipe.track"))
    for descending in (False, True):
        read = rows_read(fresh_database, TrackFilter(), descending=descending)
        assert read["Index Scan track_by_title"] == 50
        # The details are read for the tracks of the page only.
        assert max(read.values()) == 50
    found = rows_read(fresh_database, TrackFilter("ann"), descending=False)
    assert found["Index Scan track_by_title"] == 50
    assert listed_tracks_n(TrackFilter("ann")) == MANY
    assert MAX_COUNTED >= MANY


def rows_read(database: Database, chosen: TrackFilter, *, descending: bool) -> dict[str, int]:
    """Return the number of rows that each scan in the plan of a page returns."""
    page = page_sql(chosen, sort="title", descending=descending)
    explained = text(f"EXPLAIN (ANALYZE, FORMAT JSON) {page}")
    with database.reader.connect() as connection:
        values = {"limit": 50, "offset": 0, **parameters(chosen)}
        (plan,) = connection.execute(explained, values).scalar_one()
    read: dict[str, int] = {}
    nodes = [plan["Plan"]]
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", [])
        if "Scan" in node["Node Type"]:
            name = f"{node['Node Type']} {node.get('Index Name', node.get('Relation Name'))}"
            read[name] = read.get(name, 0) + round(node["Actual Rows"] * node["Actual Loops"])
    return read
