"""Tests that the shipped tables are complete and that errors contain the line number."""

import shutil
from pathlib import Path

import pytest

from mirpipe.errors import RejectedInput
from mirpipe.published.printed_lines import FOLDER, read


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for file in FOLDER.glob("*.csv"):
        shutil.copy(file, tmp_path)
    return tmp_path


def test_shipped_tables_have_nine_targets_three_encoders_and_three_modes() -> None:
    tables = read()
    assert len({line.target for line in tables.retrieval}) == 9
    assert len({line.encoder for line in tables.retrieval}) == 3
    assert len({line.mode for line in tables.generation}) == 3
    assert (len(tables.retrieval), len(tables.generation), len(tables.summary)) == (27, 27, 27)


def test_each_line_has_its_number_in_the_file() -> None:
    tables = read()
    file_lines = (FOLDER / "retrieval.csv").read_text().splitlines()
    for line in tables.retrieval:
        assert file_lines[line.line - 1].startswith(
            f"{line.encoder},{line.target},{line.retrieved},"
        )


def test_printed_decimals_are_kept() -> None:
    assert {str(line.mean) for line in read().summary} >= {"0.830", "0.770", "5.0"}


def test_byte_order_mark_and_windows_line_ends_are_accepted(folder: Path) -> None:
    file = folder / "generation.csv"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    assert read(folder) == read()


@pytest.mark.parametrize(
    ("file", "line", "old", "new", "reason", "message"),
    [
        ("retrieval.csv", 3, "0.931", "1.931", "wrong_value", "cosine: .*less than or equal to 1"),
        ("retrieval.csv", 3, "0.931", "nan", "wrong_value", "cosine: "),
        ("retrieval.csv", 3, "0.931", "", "wrong_value", "cosine: .*valid number"),
        ("retrieval.csv", 4, "Rock", "Jazz 120 BPM,x", "wrong_columns", "11 values for 10"),
        ("retrieval.csv", 1, "encoder", "model", "wrong_columns", "must be encoder, target"),
        ("generation.csv", 4, "simple", "", "wrong_value", "mode: "),
        ("generation.csv", 5, ",5.1\n", ",11\n", "wrong_value", "pq: .*less than or equal to 10"),
        ("summary.csv", 2, "Retrieval Sim", "Sim", "wrong_value", "metric: "),
        ("summary.csv", 3, "CLAP Sim", "Retrieval Sim", "repeated", "is already on line 2"),
        ("changes.csv", 2, "697", "many", "wrong_value", "percent: "),
        ("claims.csv", 4, "arithmetic only", "true", "wrong_value", "verdict: "),
    ],
)
def test_the_error_of_a_wrong_line_contains_line_and_reason(
    folder: Path, file: str, line: int, old: str, new: str, reason: str, message: str
) -> None:
    lines = (folder / file).read_text().splitlines(keepends=True)
    assert old in lines[line - 1]
    lines[line - 1] = lines[line - 1].replace(old, new, 1)
    (folder / file).write_text("".join(lines))
    with pytest.raises(RejectedInput, match=rf"{file}, line {line}: .*{message}") as raised:
        read(folder)
    assert raised.value.reason == reason


def test_the_error_names_a_missing_file(folder: Path) -> None:
    (folder / "claims.csv").unlink()
    with pytest.raises(RejectedInput, match=r"claims\.csv cannot be read"):
        read(folder)
