"""The title and labels of a track with several files."""

import pytest

from mirpipe.library.shown_labels import DescribedFile, shown_labels
from mirpipe.records import TitleAndLabels


def described(
    path: str, title: str = "", row: TitleAndLabels | None = None, **labels: str
) -> DescribedFile:
    return DescribedFile(path.encode(), TitleAndLabels(title, labels), row)


SINGLE = described("/single/song.flac", "Song", genre="Pop", album="Song (single)")
COMPILATION = described(
    "/compilation/07.flac", "07 Song", genre="Hits; pop", album="Hits", composer="C"
)


@pytest.mark.parametrize("files", [[SINGLE, COMPILATION], [COMPILATION, SINGLE]])
def test_the_first_path_decides_and_all_files_have_labels(files: list[DescribedFile]) -> None:
    assert shown_labels(files) == (
        "07 Song",
        {"genre": "Hits; pop", "album": "Hits", "composer": "C"},
    )


def test_genres_of_all_files_are_collected() -> None:
    files = [described("/a", "A", genre="Jazz"), described("/b", "B", genre="Rock; jazz; Pop")]
    assert shown_labels(files).labels == {"genre": "Jazz; Rock; Pop"}


def test_a_file_with_a_title_comes_before_a_file_without() -> None:
    untitled = described("/a/track 01.wav", genre="Folk")
    assert shown_labels([untitled, SINGLE]).title == "Song"
    assert shown_labels([untitled]).title == "track 01"


def test_a_row_in_the_manifest_hides_the_tags_of_all_files() -> None:
    row = TitleAndLabels("", {"genre": "folk"})
    with_row = described("/z/zulu.wav", "Tag", row, composer="C")
    assert shown_labels([SINGLE, with_row]) == ("zulu", {"genre": "folk"})
