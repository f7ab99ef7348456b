"""Search: a question in a process of its own, and what the page says of the answer."""

from pathlib import Path

import pytest

from dashboard.views.search import search_process
from mirpipe.stages import embed as embed_stage
from tests.dashboard.filled import fill
from tests.dashboard.pages import MODELS, PIECES, page, written
from tests.support.audio_files import ingest_folder, tone, tones
from tests.support.databases import Database

HIT = search_process.Hit(1, 4, "**静音** <b>", {"genre": "folk"}, 0.875)


@pytest.fixture
def _tones(fresh_database: Database, tmp_path: Path) -> None:
    """Four tones in the space of an encoder that ships."""
    tones(tmp_path / "music", [110, 220, 880, 3000])
    ingest_folder(tmp_path / "music", "reference")
    embed_stage.embed(["signal"], batch_tracks=64)


@pytest.mark.usefixtures("_tones")
def test_a_file_from_outside_finds_what_is_like_it(tmp_path: Path) -> None:
    other = tone(tmp_path / "other.wav", 885)
    hits = search_process.by_audio(other.read_bytes(), name="other.wav", encoder="signal", k=2)
    assert [hit.rank for hit in hits] == [1, 2]
    assert hits[0].title == "880 Hz"
    assert hits[0].cosine > hits[1].cosine


@pytest.mark.usefixtures("_tones")
def test_what_is_no_audio_is_refused_by_the_name_that_it_came_with() -> None:
    with pytest.raises(
        search_process.NoAnswer, match=r"^holiday\.wav cannot be searched with: "
    ) as refused:
        search_process.by_audio(b"no music at all", name="holiday.wav", encoder="signal", k=2)
    assert "/tmp" not in str(refused.value)


@pytest.mark.usefixtures("_tones")
def test_words_for_an_encoder_that_takes_none_are_refused_in_one_sentence() -> None:
    with pytest.raises(
        search_process.NoAnswer, match=r"^signal takes no words; encoders that do: clap"
    ):
        search_process.by_text("--json", encoder="signal", k=2)


def test_a_question_ends_at_its_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_process, "MOST_SECONDS", 0.01)
    with pytest.raises(search_process.NoAnswer, match="no answer within"):
        search_process.by_text("slow", encoder="clap", k=1)


def test_a_file_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_process, "MOST_BYTES", 2**20)
    with pytest.raises(search_process.NoAnswer, match="larger than 1 MB"):
        search_process.by_audio(b"x" * (2**20 + 1), name="long.wav", encoder="signal", k=1)


def test_an_empty_library_says_which_command_comes_next(fresh_database: Database) -> None:
    assert "mirpipe ingest" in page("search").code[1].value


def test_without_an_encoder_of_words_the_page_says_how_to_get_one(filled: Database) -> None:
    app = page("search")
    assert "No encoder of this library takes words" in app.info[0].value
    assert "mirpipe models pull clap" in app.code[0].value


def test_a_link_asks_its_question_again(filled: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def answer(words: str, *, encoder: str, k: int) -> list[search_process.Hit]:
        asked.append((words, encoder, k))
        return [HIT]

    monkeypatch.setattr(search_process, "takes_text", lambda _encoder: True)
    monkeypatch.setattr(search_process, "by_text", answer)
    app = page("search", q="slow dizi solo", encoder="stand-in", k="10")
    assert asked == [("slow dizi solo", "stand-in", 10)]
    assert "**静音** &lt;b&gt;</bdi>" in written(app)
    assert "<dt>cosine</dt><dd>0.8750</dd>" in written(app)
    assert "stand-in: random weights" in written(app)
    app.run()
    assert len(asked) == 1, "the same question was asked twice"


def test_a_link_opens_the_search_by_audio(filled: Database) -> None:
    app = page("search", by="audio", encoder="stand-in")
    assert len(app.get("file_uploader")) == 1
    assert app.query_params["by"] in ("audio", ["audio"])
    assert "stand-in: random weights" in written(app)


def test_what_went_wrong_is_said_as_it_is(
    filled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(words: str, *, encoder: str, k: int) -> list[search_process.Hit]:
        raise search_process.NoAnswer("its weights are missing: run `mirpipe models pull clap`")

    monkeypatch.setattr(search_process, "takes_text", lambda _encoder: True)
    monkeypatch.setattr(search_process, "by_text", refuse)
    app = page("search", q="slow")
    assert "could not be searched for" in app.error[0].value
    assert app.text[0].value == "its weights are missing: run `mirpipe models pull clap`"


def test_a_revision_that_is_not_installed_is_named(fresh_database: Database) -> None:
    with fresh_database.app.begin() as connection:
        fill(connection, PIECES, MODELS)
    with pytest.raises(search_process.NoAnswer, match="answers in revision r1 and is installed as"):
        search_process.by_audio(b"x", name="x.wav", encoder="musicnn", k=1)
