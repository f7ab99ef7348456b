"""Tests of the Track page: what it shows for each kind of track, and links that fail."""

from pathlib import Path

import pytest
import streamlit as st
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from dashboard.components import tables
from dashboard.components.merged_ranks import merged_references
from dashboard.data import spectrograms
from dashboard.views.track import similar_references
from mirpipe.db.queries.vector_search import NearReference
from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve
from tests.dashboard.example_clips import UNGUIDED, Maker, describe, make
from tests.dashboard.example_library import Piece, rate, track
from tests.dashboard.open_page import HOSTILE, PIECES, SHOWN, answer_of, html, page
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary, sha256


@pytest.fixture
def library(fresh_database: Database) -> SyntheticLibrary:
    """Return a library with two encoders in which north is the best match of two targets."""
    made = SyntheticLibrary(fresh_database.app)
    other = SyntheticLibrary(fresh_database.app, name="other")
    for collection, title, vector, rotated in (
        ("reference", "east", [1, 0, 0], [0, 1, 0]),
        ("reference", "north", [0, 1, 0], [1, 0, 0]),
        ("reference", "up", [0, 0.1, 1], [0.1, 0, 1]),
        ("target", "near north", [0.1, 1, 0], [1, 0.1, 0]),
        ("target", "شمال", [0, 1, 0.1], [0, 1, 0.1]),
    ):
        other.set_vector(made.add(collection, title, vector), rotated)
    retrieve()
    report(trigger="test")
    return made


def track_page(content: object, collection: str = "reference") -> AppTest:
    return page("track", track=sha256(content).hex()[:16], **{"in": collection})


def linked(database: Database, title: str, collection: str) -> AppTest:
    """Return the page of the track with this title in the example library."""
    query = "SELECT content_sha256 FROM mirpipe.v_library WHERE title = :t AND collection = :c"
    with database.reader.connect() as connection:
        digits = connection.execute(text(query), {"t": title, "c": collection}).scalar_one()
    return page("track", track=digits[:16], **{"in": collection})


def table(app: AppTest, name: str) -> str:
    """Return the HTML table with this name."""
    return html(app).partition(f"aria-label='{name}'")[2].partition("</table>")[0]


def test_links_that_name_no_track_lead_to_the_list(filled: Database) -> None:
    assert "Choose a track" in page("track").info[0].value
    for digits in ("0" * 16, "xyz", "é"):
        app = page("track", track=digits)
        assert "not in the library" in app.warning[0].value


def test_a_reference_shows_its_targets_and_similar_references_with_ranks(
    library: SyntheticLibrary,
) -> None:
    app = track_page("north")
    assert answer_of(app) == "This reference is among the first ten matches of 2 targets."
    targets = table(app, "Targets of this match")
    assert targets.index(">near north<") < targets.index(">شمال<")
    near = targets.partition(">near north<")[2].partition("</tr>")[0]
    assert near.count("<td class='mp-number'>1</td>") == 2
    similar = table(app, "Most similar references")
    assert [title for title in ("east", "north", "up") if f">{title}<" in similar] == ["east", "up"]
    assert similar.count("<tr>") == 1 + 2  # Each reference is listed once, not once per encoder.


def test_the_lists_of_encoders_are_merged() -> None:
    def near(rank: int, track_id: int) -> NearReference:
        return NearReference(rank, track_id, f"t{track_id}", {}, "", 1 - rank / 10)

    tracks = merged_references({"a": [near(1, 7), near(2, 8)], "b": [near(1, 8)], "c": []})
    ranks = [
        (track.track_id, {name: rank.rank for name, rank in track.ranks.items()})
        for track in tracks
    ]
    assert ranks == [(8, {"a": 2, "b": 1}), (7, {"a": 1})]


def test_tracks_with_the_title_of_another_track_on_the_page_are_told_apart(
    fresh_database: Database,
) -> None:
    """Each encoder finds another reference first, and all of them have the same title."""
    one, other = (SyntheticLibrary(fresh_database.app, name=name) for name in ("one", "two"))
    ids = []
    for path, vector, rotated in (
        ("a/song.wav", [1, 0, 0], [0, 1, 0]),
        ("b/song.wav", [0, 1, 0], [1, 0, 0]),
    ):
        ids.append(one.add("reference", path, vector, title="song"))
        other.set_vector(ids[-1], rotated)
    for number in range(similar_references.SHOWN):
        track_id = one.add("reference", f"o{number}", [1, 0.1, 0])
        other.set_vector(track_id, [1, 0.1, 0])
    other.set_vector(one.add("target", "c/song.wav", [1, 0, 0], title="song"), [1, 0, 0])
    retrieve()
    report(trigger="test")
    app = track_page("c/song.wav", "target")
    named = "<bdi>song ({}/song.wav)</bdi>"
    similar = table(app, "Most similar references")
    assert [similar.count(named.format(folder)) for folder in "abc"] == [1, 1, 0]
    assert "the reference <a" in table(app, "History")
    assert "the target <a" in table(track_page("a/song.wav"), "History")
    one.add_same_recording(*ids)
    st.cache_data.clear()
    assert named.format("b") in table(track_page("a/song.wav"), "Same recordings")


def test_a_target_is_a_query_but_no_match(library: SyntheticLibrary) -> None:
    app = track_page("شمال", "target")
    assert "<h1 class='mp-large-title'><bdi>شمال</bdi></h1>" in html(app)
    assert "different references for شمال: north by made_up (z = " in answer_of(app)
    assert ">north<" in table(app, "Most similar references")
    assert not table(app, "Targets of this match")
    assert "became its best match by made_up (<bdi>first match</bdi>, run" in table(app, "History")


def test_a_track_without_vectors_names_the_next_command(library: SyntheticLibrary) -> None:
    library.add("reference", "new")
    captions = [element.value for element in track_page("new").caption]
    assert "Not embedded yet by made_up, other. The next run does this: `mirpipe run`." in captions


def test_same_recordings_and_the_same_audio_elsewhere_are_linked(
    library: SyntheticLibrary,
) -> None:
    library.add("target", "up", title="copy of up")
    rows = library.rows("SELECT track_id, title FROM mirpipe.track")
    ids = {title: track_id for track_id, title in rows}
    library.add_same_recording(ids["up"], ids["east"])
    app = track_page("up")
    assert "The same audio is also a target: <a" in html(app)
    recordings = table(app, "Same recordings")
    assert ">east<" in recordings
    assert ">copy of up<" in recordings


def test_gone_and_rejected_tracks_show_state_reason_and_last_path(
    library: SyntheticLibrary,
) -> None:
    library.set_state(library.add("reference", "lost"), "gone")
    library.execute("UPDATE mirpipe.track_file SET gone_at = now() WHERE path_text = 'lost'")
    app = track_page("lost")
    assert ">gone</span>" in html(app)
    assert "No file with this audio was found" in html(app)
    assert ">lost<" in table(app, "Files")
    library.add("reference", "quiet")
    library.execute(
        "UPDATE mirpipe.track SET state = 'rejected', reason = 'too_short' WHERE title = 'quiet'"
    )
    assert ">rejected: too short</span>" in html(track_page("quiet"))


def test_a_track_without_audio_says_how_to_add_it(library: SyntheticLibrary) -> None:
    track_id = library.add("reference", "heard of")
    library.execute("DELETE FROM mirpipe.track_file WHERE path_text = 'heard of'")
    library.execute("UPDATE mirpipe.track SET has_audio = false WHERE title = 'heard of'")
    shown = html(track_page("heard of"))
    assert "ingest its recording" in shown
    assert ">no audio</span>" in shown
    assert ">no audio</span>" in html(page("tracks"))
    assert "The next run measures them" not in shown
    library.set_state(track_id, "gone")
    assert "vectors remove-tracks" in html(track_page("heard of"))


def test_features_show_the_reasons_of_missing_values(filled: Database) -> None:
    with filled.owner.begin() as connection:
        describe(connection)
    shown = html(linked(filled, HOSTILE, "target"))
    assert "120.4 BPM" in shown
    unpitched = html(linked(filled, "تجربة", "target")).partition("<dt>key</dt>")[2]
    assert unpitched.startswith("<dd>–<small>unpitched</small></dd>")


def test_findings_are_listed(library: SyntheticLibrary) -> None:
    library.execute(
        "INSERT INTO mirpipe.finding "
        "SELECT track_id, 0, 'damage', 'warning', 12.3, 'It is damaged.' "
        "FROM mirpipe.track WHERE title = 'north'"
    )
    assert "It is damaged." in table(track_page("north"), "Findings")
    assert not table(track_page("east"), "Findings")


def test_clips_and_their_target_are_linked(filled: Database, tmp_path: Path) -> None:
    with filled.owner.begin() as connection:
        describe(connection)
        make(connection, (Maker("resynth", UNGUIDED),), tmp_path, PIECES[0].path)
        clip = "SELECT title FROM mirpipe.track WHERE collection = 'generated' LIMIT 1"
        title = connection.execute(text(clip)).scalar_one()
    clips = table(linked(filled, HOSTILE, "target"), "Clips")
    assert "in=generated'><bdi>" in clips
    app = linked(filled, title, "generated")
    assert answer_of(app).startswith("This clip was generated from ")
    assert "in=target'><bdi>" in table(app, "Origin of the clip")
    assert "<span class='mp-badge'>clip</span>" in html(app)


def test_hostile_titles_are_shown_literally(filled: Database) -> None:
    app = linked(filled, HOSTILE, "target")
    assert f"<h1 class='mp-large-title'><bdi>{SHOWN}</bdi></h1>" in html(app)
    assert not any(HOSTILE in element.value for element in [*app.markdown, *app.caption])


def test_the_spectrogram_has_axes_and_names_the_track(filled: Database) -> None:
    shown = html(linked(filled, "تجربة", "target"))
    assert "<img alt='Spectrogram of تجربة: frequency over time'" in shown
    assert "10 kHz</span>" in shown


def test_a_file_that_cannot_be_decoded_has_no_spectrogram(
    fresh_database: Database, tmp_path: Path
) -> None:
    (tmp_path / "a.ogg").write_text("no audio")
    with fresh_database.app.begin() as connection:
        track(connection, Piece("reference", "broken", tmp_path / "a.ogg"))
    assert "No spectrogram: The file cannot be decoded." in html(
        linked(fresh_database, "broken", "reference")
    )


def test_a_spectrogram_is_computed_again_only_for_a_changed_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    run = spectrograms.subprocess.run
    monkeypatch.setattr(
        spectrograms.subprocess, "run", lambda *args, **kw: calls.append(args) or run(*args, **kw)
    )
    path = tmp_path / "a.ogg"
    path.write_bytes(PIECES[0].path.read_bytes())
    first = spectrograms.spectrogram(path, None)
    assert spectrograms.spectrogram(path, None).levels.tolist() == first.levels.tolist()
    assert len(calls) == 1
    path.write_bytes(PIECES[1].path.read_bytes())
    assert spectrograms.spectrogram(path, None).levels.tolist() != first.levels.tolist()
    assert len(calls) == 2


@pytest.mark.usefixtures("library")
def test_a_table_of_many_tracks_has_a_link_to_the_list_instead_of_a_selector(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tables, "MAX_CHOICES", 1)
    app = page("retrieval")
    assert "open a track of Best matches" not in [choice.key for choice in app.selectbox]
    labels = [link.proto.label for link in app.get("page_link")]
    assert labels == ["Find a track by its name"]


@pytest.mark.parametrize("column", ["target", "reference"])
def test_the_selector_of_a_table_opens_the_page_of_a_track(
    library: SyntheticLibrary, column: str
) -> None:
    app = page("retrieval")
    title = app.dataframe[0].value[column].iloc[0]
    app.selectbox(key="open a track of Best matches").select(title).run()
    assert f"<h1 class='mp-large-title'><bdi>{title}</bdi></h1>" in html(app)
    assert not app.title, "the page has two titles"


def test_the_rating_is_marked_among_the_ratings_of_all_tracks(filled: Database) -> None:
    assert not linked(filled, "apple", "reference").get("vega_lite_chart")
    with filled.owner.begin() as connection:
        rate(connection, "apple", 7.25, 6.5, 5.75, 8.125)
        rate(connection, "drums", 3.0, 4.0, 5.0, 6.0)
    st.cache_data.clear()
    app = linked(filled, "apple", "reference")
    [chart] = app.get("vega_lite_chart")
    assert "with the rating of this track" in chart.proto.alt
    assert "CE, enjoyment" in chart.proto.spec
    assert "Licence of the weights: CC-BY-4.0" in html(app)
    assert not linked(filled, "long gone", "target").get("vega_lite_chart")
