"""`mirpipe tags` shows tags before and after decoding, and sets the encoding of a folder."""

import json
from pathlib import Path

import pytest
from mutagen.id3 import ID3, TIT2
from typer.testing import CliRunner

from mirpipe.cli.main import app
from mirpipe.stages.ingest import ingest
from tests.support import encoded_audio
from tests.support.databases import Database

TITLES = ("青花瓷", "七里香", "菊花台")


@pytest.fixture
def china(fresh_database: Database, tmp_path: Path) -> Path:
    """Return an ingested folder with three files whose titles are in GBK."""
    for seed, title in enumerate(TITLES):
        path = tmp_path / "china" / f"{seed}.mp3"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(encoded_audio.encode("MP3", encoded_audio.music(seed=seed)))
        id3 = ID3()
        id3.add(TIT2(encoding=0, text=title.encode("gbk").decode("latin-1")))
        id3.save(path)
    ingest([tmp_path / "china"], collection="reference")
    return tmp_path / "china"


def values(*arguments: object) -> list[dict]:
    result = CliRunner().invoke(app, ["tags", *map(str, arguments), "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_every_value_is_shown_before_and_after_decoding(china: Path) -> None:
    assert [
        (value["before"], value["after"], value["encoding"], value["origin"]) for value in values()
    ] == [(title.encode("gbk").decode("latin-1"), title, "gb18030", "guessed") for title in TITLES]
    shown = CliRunner().invoke(app, ["tags"]).stdout
    assert "gb18030, guessed" in shown
    assert "青花瓷" in shown
    assert values(china.parent / "elsewhere") == []


def test_an_encoding_is_set_and_unset(china: Path) -> None:
    set_values = values(china, "--encoding", "windows-1251")
    assert [value["after"] for value in set_values] == [
        title.encode("gbk").decode("cp1251") for title in TITLES
    ]
    assert {(value["encoding"], value["origin"]) for value in set_values} == {("cp1251", "set")}
    assert [value["after"] for value in values(china, "--encoding", "auto")] == list(TITLES)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--encoding", "gbk"), "Give the folder"),
        (("CHINA", "--encoding", "klingon"), "Tags cannot be in the encoding 'klingon'"),
        (("CHINA/none", "--encoding", "gbk"), "no ingested file"),
    ],
)
def test_what_cannot_be_set_is_refused(
    china: Path, arguments: tuple[str, ...], message: str
) -> None:
    words = [word.replace("CHINA", str(china)) for word in arguments]
    result = CliRunner().invoke(app, ["tags", *words])
    assert result.exit_code == 2
    assert message in " ".join(result.output.replace("│", " ").split())
    assert [value["after"] for value in values()] == list(TITLES)
