"""Ingest: tags in the encoding of a language are decoded by a guess for the whole folder."""

from pathlib import Path

import pytest
from mutagen.id3 import ID3, TIT2, TPE1

from mirpipe.library import folder_encodings
from mirpipe.library.folder_encodings import set_encoding
from tests.stages.ingest.tables import ingest_references, query, tables
from tests.support import encoded_audio
from tests.support.databases import Database

TITLES = ("青花瓷", "七里香", "菊花台")


def write_mp3(path: Path, title: str, artist: str, encoding: str, *, seed: int = 0) -> None:
    """Write a file whose tags are marked as Latin-1 and are in fact in `encoding`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded_audio.encode("MP3", encoded_audio.music(seed=seed)))
    id3 = ID3()
    for frame, text in ((TIT2, title), (TPE1, artist)):
        id3.add(frame(encoding=0, text=text.encode(encoding).decode("latin-1")))
    id3.save(path)


@pytest.fixture
def china(tmp_path: Path) -> Path:
    """Return a folder with three files whose tags are in GBK."""
    for seed, title in enumerate(TITLES):
        write_mp3(tmp_path / "music/china" / f"{seed}.mp3", title, "周杰伦", "gbk", seed=seed)
    return tmp_path / "music/china"


def shown(database: Database) -> list[tuple[object, ...]]:
    return query(
        database,
        "SELECT title, labels ->> 'artist', tag_encoding, tag_encoding_guessed "
        "FROM mirpipe.v_library WHERE state = 'ok' ORDER BY path",
    )


def test_the_tags_of_a_folder_are_decoded_together(fresh_database: Database, china: Path) -> None:
    """Public report: navidrome#3243, owncloud music#1146."""
    write_mp3(china.parent / "brazil/a.mp3", "Águas de Março", "João Gilberto", "cp1252", seed=7)
    ingest_references(china.parent)
    assert shown(fresh_database) == [
        ("Águas de Março", "João Gilberto", "cp1252", False),
        *((title, "周杰伦", "gb18030", True) for title in TITLES),
    ]
    raw = query(fresh_database, "SELECT undecoded_tags ->> 'artist' FROM mirpipe.track_file")
    assert ('["ÖÜ½ÜÂ×"]',) in raw
    before = tables(fresh_database)
    ingest_references(china.parent)
    assert tables(fresh_database) == before


def test_a_new_file_changes_the_labels_of_its_whole_folder(
    fresh_database: Database, china: Path, read_files: list[str]
) -> None:
    for path in sorted(china.iterdir())[1:]:
        path.rename(china.parent / path.name)
    alone = china / "0.mp3"
    write_mp3(alone, "愛", "愛", "big5")
    ingest_references(china)
    assert shown(fresh_database) == [("·R", "·R", "cp1252", False)]
    for seed, title in enumerate(("鄧麗君", "月亮代表我的心", "國語流行"), start=1):
        write_mp3(china / f"{seed}.mp3", title, "周杰倫", "big5", seed=seed)
    read_files.clear()
    ingest_references(china)
    assert shown(fresh_database)[0] == ("愛", "愛", "big5hkscs", True)
    assert alone.name not in read_files
    for seed in (1, 2, 3):
        (china / f"{seed}.mp3").unlink()
    ingest_references(china)
    assert shown(fresh_database) == [("·R", "·R", "cp1252", False)]


def test_a_setting_applies_to_the_folder_and_its_subfolders(
    fresh_database: Database, china: Path
) -> None:
    ingest_references(china)
    set_encoding(bytes(china.parent), "cp1251")
    assert {row[2:] for row in shown(fresh_database)} == {("cp1251", False)}
    assert shown(fresh_database)[0][1] == "周杰伦".encode("gbk").decode("cp1251")
    set_encoding(bytes(china), "gbk")
    expected = [(title, "周杰伦", "gbk", False) for title in TITLES]
    assert shown(fresh_database) == expected
    write_mp3(china / "3.mp3", "Café", "Ann", "cp1252", seed=3)
    ingest_references(china)
    assert shown(fresh_database) == [*expected, ("Café", "Ann", "gbk", False)]
    set_encoding(bytes(china), None)
    set_encoding(bytes(china.parent), None)
    assert shown(fresh_database)[0] == (TITLES[0], "周杰伦", "gb18030", True)


def test_labels_from_a_manifest_are_kept(fresh_database: Database, china: Path) -> None:
    manifest = china.parent / "m.csv"
    manifest.write_text("path,title,genre\nchina/0.mp3,By hand,Jazz\n")
    ingest_references(china, manifest=manifest)
    set_encoding(bytes(china), "big5")
    ingest_references(china)
    assert shown(fresh_database)[0] == ("By hand", None, None, None)
    origins = query(fresh_database, "SELECT title, labels_from FROM mirpipe.track ORDER BY title")
    assert [origin for _, origin in origins] == ["manifest", "tags", "tags"]


def test_a_run_that_was_killed_before_the_guess_is_completed_by_the_next_one(
    fresh_database: Database, china: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(_: object) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(folder_encodings, "guess_encoding", stop)
        with pytest.raises(KeyboardInterrupt):
            ingest_references(china)
    assert shown(fresh_database)[0][2:] == (None, None)
    ingest_references(china)
    assert shown(fresh_database) == [(title, "周杰伦", "gb18030", True) for title in TITLES]


def test_a_track_shows_the_tags_of_its_first_file(fresh_database: Database, china: Path) -> None:
    ingest_references(china)
    copy = china.parent / "a copy/0.mp3"
    copy.parent.mkdir()
    copy.write_bytes((china / "0.mp3").read_bytes())
    ingest_references(china.parent)
    set_encoding(bytes(copy.parent), "cp1251")
    decoded = TITLES[0].encode("gbk").decode("cp1251")
    assert (decoded, "cp1251", False) in {(row[0], *row[2:]) for row in shown(fresh_database)}
    copy.unlink()
    ingest_references(china.parent)
    assert shown(fresh_database)[0] == (TITLES[0], "周杰伦", "gb18030", True)
