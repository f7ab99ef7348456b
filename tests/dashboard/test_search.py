"""Tests of the Search page: searches in a separate process, their limits and errors."""

import re
import sys
from hashlib import sha256
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest
import streamlit as st
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from dashboard.views.search import search_by_track
from mirpipe import search_process
from mirpipe.db.queries.vector_search import NearReference
from mirpipe.settings import settings
from mirpipe.stages import embed as embed_stage
from mirpipe.stages.retrieve import retrieve
from tests.dashboard.example_library import fill
from tests.dashboard.open_page import MODELS, PIECES, answer_of, html, link, page
from tests.support.audio_files import ingest_folder, tone, tones
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary

HIT = NearReference(1, 4, "**静音** <b>", {"genre": "folk"}, "00", 0.875)


@pytest.fixture
def _tones(fresh_database: Database, tmp_path: Path) -> None:
    """Embed four tones with the encoder `signal`."""
    tones(tmp_path / "music", [110, 220, 880, 3000])
    ingest_folder(tmp_path / "music", "reference")
    embed_stage.embed(["signal"], batch_tracks=64)


@pytest.mark.usefixtures("_tones")
def test_an_audio_file_finds_similar_references(tmp_path: Path) -> None:
    other = tone(tmp_path / "other.wav", 885)
    hits = search_process.search_by_file(other, name="other.wav", encoder="signal", k=2)
    assert [hit.rank for hit in hits] == [1, 2]
    assert hits[0].title == "880 Hz"
    assert hits[0].cosine > hits[1].cosine


@pytest.mark.usefixtures("_tones")
def test_an_error_names_the_uploaded_file(tmp_path: Path) -> None:
    path = tmp_path / "query"
    path.write_bytes(b"no music at all")
    with pytest.raises(
        search_process.SearchFailed, match=r"^Cannot search with holiday\.wav: "
    ) as refused:
        search_process.search_by_file(path, name="holiday.wav", encoder="signal", k=2)
    assert "/tmp" not in str(refused.value)


def test_a_lost_database_is_told_apart_from_a_refused_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MIRPIPE_DATABASE_URL", "postgresql://mirpipe@127.0.0.1:1/mirpipe")
    settings.cache_clear()
    with pytest.raises(search_process.SearchUnavailable, match=r"127\.0\.0\.1.*1"):
        search_process.search_by_words("slow", encoder="clap", k=1)


@pytest.mark.usefixtures("_tones")
def test_an_encoder_that_takes_no_words_is_refused_in_one_sentence() -> None:
    message = r"^signal cannot search by text\. Encoders that can: clap"
    with pytest.raises(search_process.SearchFailed, match=message):
        search_process.search_by_words("--json", encoder="signal", k=2)


def test_a_search_stops_at_the_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_process, "TIME_LIMIT_SECONDS", 0.01)
    with pytest.raises(search_process.SearchFailed, match=r"stopped after 0\.01 seconds"):
        search_process.search_by_words("slow", encoder="clap", k=1)


@pytest.mark.parametrize(
    "program", ["import missing_library", "import os; os.kill(os.getpid(), 9)"]
)
def test_a_crash_is_told_apart_from_a_refused_file(
    program: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    command = Popen[str]

    def crash(_command: list[str], **options: Any) -> Popen[str]:
        return command([sys.executable, "-c", program], **options)

    monkeypatch.setattr("subprocess.Popen", crash)
    with pytest.raises(search_process.SearchCrashed, match="because of an internal error"):
        search_process.search_by_words("slow", encoder="clap", k=1)
    assert "exit code" in caplog.text
    assert ("missing_library" in caplog.text) == ("missing_library" in program)


def test_a_file_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "query"
    path.write_bytes(b"x" * (2**20 + 1))
    monkeypatch.setattr(search_process, "MAX_FILE_BYTES", 2**20)
    with pytest.raises(search_process.SearchFailed, match="larger than 1 MB"):
        search_process.search_by_file(path, name="long.wav", encoder="signal", k=1)


def test_an_empty_library_says_which_command_comes_next(fresh_database: Database) -> None:
    assert "mirpipe ingest" in page("search").code[1].value


def test_without_an_encoder_for_words_the_page_names_one(filled: Database) -> None:
    app = page("search")
    assert "or a description" not in app.text_input(key="q").label
    assert "mirpipe models pull clap" in app.code[0].value


def test_a_title_finds_a_track_and_the_references_that_are_similar_to_it(
    fresh_database: Database,
) -> None:
    library, other = (SyntheticLibrary(fresh_database.app, name=name) for name in ("one", "two"))
    for title, vector in (("east", [1, 0, 0]), ("north", [0, 1, 0]), ("up", [0, 0.2, 1])):
        other.set_vector(library.add("reference", title, vector), vector)
    target = library.add("target", "north wind", [0, 1, 0.1], labels={"artist": "Boreas"})
    retrieve()
    app = page("search", q="boreas", k="10")
    assert app.selectbox(key="of").options == ["north wind (target)"]
    assert "is most similar to north wind is north by one (z = " in answer_of(app)
    ranks = html(app).split("<table class='mp-ranks'>")[1:]
    assert len(ranks) == 3, "each reference is shown once"
    assert all("<th>cosine</th><th>z</th>" in table for table in ranks)
    assert "Not embedded yet by two." in app.caption[0].value
    other.set_vector(target, [1, 0, 0])
    st.cache_data.clear()
    app = page("search", q="boreas", k="10")
    assert "different references for north wind: north by one" in answer_of(app)
    assert html(app).count("<table class='mp-ranks'>") == 3
    app = page("search", q="boreas", encoder="two")
    assert "is east by two" in answer_of(app)
    assert "it is not among the first 5 by that encoder" in app.caption[-1].value


@pytest.mark.usefixtures("_tones")
def test_a_query_and_its_references_are_played_at_the_level_of_the_quietest(
    fresh_database: Database,
) -> None:
    with fresh_database.owner.begin() as connection:
        connection.exec_driver_sql(
            # Words, not digits: a search also reads the path, and folders of tests have numbers.
            "UPDATE mirpipe.track SET title = CASE title WHEN '880 Hz' THEN 'oboe' "
            "WHEN '220 Hz' THEN 'bassoon' ELSE title END, sounding_rms_dbfs = CASE title "
            "WHEN '880 Hz' THEN -8 WHEN '220 Hz' THEN -20 ELSE -14 END"
        )
    volumes = played_volumes(page("search", q="oboe"))
    assert volumes["Query: oboe"] == pytest.approx(10 ** (-12 / 20), abs=1e-4)
    assert volumes["Match: bassoon"] == 1
    volumes = played_volumes(page("search", q="bassoon"))
    assert volumes["Query: bassoon"] == 1
    assert volumes["Match: oboe"] == pytest.approx(10 ** (-12 / 20), abs=1e-4)


def played_volumes(app: AppTest) -> dict[str, float]:
    """Return the volume of each player on the page, by its title."""
    found = re.findall(r"data-title='([^']*)'[^>]* data-volume='([^']*)'", html(app))
    return {title: float(volume) for title, volume in found}


def test_an_uploaded_file_is_played_at_the_level_of_its_references(
    filled: Database,
    searched_files: list[tuple[bytes, str, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = tone(tmp_path / "query.wav", 440).read_bytes()
    with filled.owner.begin() as connection:
        track_id = connection.execute(
            text("UPDATE mirpipe.track SET rms_dbfs = -90 WHERE title = 'apple' RETURNING track_id")
        ).scalar_one()
    monkeypatch.setattr(
        search_process,
        "search_by_file",
        lambda *_args, **_options: [NearReference(1, track_id, "apple", {}, "00", 0.875)],
    )
    app = page("search")
    app.file_uploader[0].upload("query.wav", content, "audio/wav").run()
    volumes = played_volumes(app)
    assert volumes["Query: query.wav"] == pytest.approx(0.1)  # It is reduced by at most 20 dB.
    assert html(app).count("data-title='Query: query.wav'") == 1


def test_the_found_tracks_are_listed_with_links_and_collections(
    filled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lines(app: AppTest) -> list[str]:
        table = html(app).partition("aria-label='Found tracks'")[2].partition("</table>")[0]
        return table.split("<tr>")[2:]

    def opened(label: str) -> AppTest:
        app = page("search", q="ogg")
        assert not lines(app), "the table is drawn before it is asked for"
        app.session_state[label] = True
        return app.run()

    found = lines(opened("The 7 found tracks"))
    assert len(found) == 7
    (target,) = [line for line in found if "تجربة" in line]
    assert f"href='track?track={link(filled, 'تجربة')}&amp;in=target'" in target
    (drums,) = [line for line in found if "drums" in line]
    assert "<td>reference</td>" in drums
    assert "funk_80.ogg" in drums
    assert sum("<td>target</td>" in line for line in found) == 3
    assert not lines(page("search", q="apple")), "the only found track is a link already"
    assert "href='tracks?search=" not in html(opened("The 7 found tracks"))
    monkeypatch.setattr(search_by_track, "LISTED", 2)
    app = opened("The first 2 found tracks")
    assert len(lines(app)) == 2
    assert "href='tracks?search=ogg&amp;state=ok'" in html(app)


def test_several_found_tracks_can_be_chosen(filled: Database) -> None:
    app = page("search", q="ogg")
    assert len(app.selectbox(key="of").options) == 7
    app = page("search", q="ogg", of="drums (reference)")
    assert ">drums</bdi></a>" in html(app)
    app.text_input(key="q").set_value("apple").run()
    assert app.selectbox(key="of").options == ["apple (reference)"]
    app.text_input(key="q").set_value("no such words").run()
    assert "No track has these words" in app.info[0].value


def test_a_link_fills_in_its_words_and_a_click_searches_once(
    filled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    searches = []

    def search(words: str, *, encoder: str, k: int) -> list[NearReference]:
        searches.append((words, encoder, k))
        return [HIT]

    monkeypatch.setattr(search_process, "takes_text", lambda _encoder: True)
    monkeypatch.setattr(search_process, "search_by_words", search)
    app = page("search", q="slow dizi solo", encoder="untrained", k="10")
    assert app.text_input(key="q").value == "slow dizi solo"
    assert searches == [], "opening the link started a search"
    app.button[0].click().run()
    assert searches == [("slow dizi solo", "untrained", 10)]
    assert "**静音** &lt;b&gt;</bdi>" in html(app)
    assert "<td>untrained (random weights)</td><td>1</td><td>0.875</td></tr>" in html(app)
    assert "untrained: random weights" in html(app)
    app.run()
    assert len(searches) == 1, "the same search ran twice"


def test_words_are_searched_by_all_encoders_in_one_list(
    filled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def search(words: str, *, encoder: str, k: int) -> list[NearReference]:
        if encoder == "untrained":
            raise search_process.SearchFailed("its weights are missing: run `mirpipe models`")
        return [HIT]

    monkeypatch.setattr(search_process, "takes_text", lambda _encoder: True)
    monkeypatch.setattr(search_process, "search_by_words", search)
    app = page("search", q="slow").button[0].click().run()
    assert "The search with untrained failed." in app.error[0].value
    assert app.text[0].value == "its weights are missing: run `mirpipe models`"
    assert not app.get("vega_lite_chart"), "words are compared with cosines of audio"
    assert "is most similar to slow is **静音** &lt;b&gt; by musicnn." in answer_of(app)


@pytest.fixture
def searched_files(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bytes, str, str]]:
    """Return a list, to which each search by a file adds its content, its name and the encoder."""
    searches = []

    def search(path: Path, *, name: str, encoder: str, k: int) -> list[NearReference]:
        searches.append((path.read_bytes(), name, encoder))
        return [HIT][:k]

    monkeypatch.setattr(search_process, "search_by_file", search)
    return searches


def test_a_file_is_searched_by_all_encoders(
    filled: Database, searched_files: list[tuple[bytes, str, str]], tmp_path: Path
) -> None:
    content = tone(tmp_path / "query.wav", 440).read_bytes()
    app = page("search")
    app.file_uploader[0].upload("query.wav", content, "audio/wav").run()
    assert searched_files == [
        (content, "query.wav", "musicnn"),
        (content, "query.wav", "untrained"),
    ]
    assert html(app).count("<table class='mp-ranks'>") == 1
    assert len(app.get("vega_lite_chart")) == 2
    assert "untrained: random weights" in html(app)


def test_an_uploaded_file_is_played_like_a_track(
    filled: Database, searched_files: list[tuple[bytes, str, str]], tmp_path: Path
) -> None:
    content = tone(tmp_path / "query.wav", 440, seconds=3).read_bytes()
    app = page("search")
    app.file_uploader[0].upload("a'b.wav", content, "audio/wav").run()
    assert not app.get("audio")
    (button,) = re.findall(r"<button[^>]*class='mp-play'[^>]*>", html(app))[:1]
    assert f"data-content='{sha256(content).hexdigest()}'" in button
    assert "data-title='Query: a&#39;b.wav'" in button
    assert "data-seconds='3.000'" in button
    assert "data-role='target'" in button


def test_a_file_without_audio_has_no_player(
    filled: Database, searched_files: list[tuple[bytes, str, str]]
) -> None:
    app = page("search")
    app.file_uploader[0].upload("query.wav", b"RIFF", "audio/wav").run()
    assert "The file cannot be decoded, so it cannot be played." in html(app)
    assert searched_files


def test_a_revision_that_is_not_installed_is_named(
    fresh_database: Database, tmp_path: Path
) -> None:
    path = tone(tmp_path / "x.wav", 440)
    with fresh_database.app.begin() as connection:
        fill(connection, PIECES, MODELS)
    with pytest.raises(
        search_process.SearchFailed, match=r"have revision r1, but revision \w+ is installed"
    ):
        search_process.search_by_file(path, name="x.wav", encoder="musicnn", k=1)
