"""Read the published tables from their CSV files, and check every line."""

import csv
from dataclasses import dataclass, fields
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from mirpipe.errors import RejectedInput

FOLDER = Path(__file__).parent
"""Folder of the CSV files that are part of mirpipe."""

Name = Annotated[str, Field(min_length=1)]
Similarity = Annotated[float, Field(ge=-1, le=1)]
Accuracy = Annotated[float, Field(ge=0, le=1)]
Points = Annotated[float, Field(ge=1, le=10)]
Guidance = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Printed = Annotated[Decimal, Field(allow_inf_nan=False)]
"""A number with as many decimals as were printed."""

Verdict = Literal["stands", "arithmetic only", "not established", "does not stand", "not measured"]


@dataclass(frozen=True)
class RetrievalLine:
    """The best match of one encoder for one target.

    `line`, the line number in the file, identifies the line. The names do not, because several
    files can have the same name.
    """

    line: int
    encoder: Name
    target: Name
    retrieved: Name
    cosine: Similarity
    clap: Similarity
    melody: Accuracy
    ce: Points
    cu: Points
    pc: Points
    pq: Points


@dataclass(frozen=True)
class GenerationLine:
    """One clip generated with a mode and guidance (`cfg`), with its scores against the target."""

    line: int
    mode: Name
    cfg: Guidance
    target: Name
    clap: Similarity
    melody: Accuracy
    ce: Points
    cu: Points
    pc: Points
    pq: Points


@dataclass(frozen=True)
class SummaryLine:
    """A printed mean for an encoder or mode, with its standard deviation if one was printed.

    `discrepancy` explains why this mean cannot be computed from the lines. It is None if it can.
    """

    line: int
    task: Literal["retrieval", "generation"]
    place: Name
    subject: Name
    cfg: Guidance | None
    metric: Literal[
        "Retrieval Sim", "CLAP Sim", "Melody Acc", "CLAP", "Melody", "CE", "CU", "PC", "PQ"
    ]
    mean: Printed
    sd: Printed | None
    discrepancy: Name | None


@dataclass(frozen=True)
class ChangeLine:
    """A printed change from the mode `than_mode` to the mode `mode`, in percent."""

    line: int
    mode: Name
    than_mode: Name
    metric: Literal["CLAP", "Melody"]
    percent: Printed
    discrepancy: Name | None


@dataclass(frozen=True)
class ClaimLine:
    """A claim in our own words. Names in braces in `numbers` are replaced by numbers."""

    line: int
    section: Name
    claim: Name
    numbers: Name
    verdict: Verdict
    remark: str | None


@dataclass(frozen=True)
class Tables:
    """All published tables."""

    retrieval: list[RetrievalLine]
    generation: list[GenerationLine]
    summary: list[SummaryLine]
    changes: list[ChangeLine]
    claims: list[ClaimLine]


Line = TypeVar("Line", RetrievalLine, GenerationLine, SummaryLine, ChangeLine, ClaimLine)


def read(folder: Path = FOLDER) -> Tables:
    """Return the tables in `folder`, which must contain the same files as the default folder.

    Raises RejectedInput at the first error, with the file, the line and the cause. The reason is
    `unreadable`, `wrong_columns`, `wrong_value` or `repeated`.
    """
    return Tables(
        _read_file(folder / "retrieval.csv", RetrievalLine, key=("encoder", "target")),
        _read_file(folder / "generation.csv", GenerationLine, key=("mode", "target")),
        _read_file(folder / "summary.csv", SummaryLine, key=("task", "subject", "metric")),
        _read_file(folder / "changes.csv", ChangeLine, key=("mode", "than_mode", "metric")),
        _read_file(folder / "claims.csv", ClaimLine, key=("claim",)),
    )


def _read_file(path: Path, line_type: type[Line], *, key: tuple[str, ...]) -> list[Line]:
    """Return the lines of one file. No two lines may have the same values in the columns `key`."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise RejectedInput("unreadable", f"{path} cannot be read: {error}") from None
    rows = csv.reader(text.splitlines(keepends=True))
    expected = [field.name for field in fields(line_type) if field.name != "line"]
    columns = [_column_name(name) for name in next(rows, [])]
    if columns != expected:
        raise RejectedInput(
            "wrong_columns",
            f"{path}, line 1: the columns are {', '.join(columns) or 'missing'}; "
            f"they must be {', '.join(expected)}",
        )
    lines: list[Line] = []
    line_numbers: dict[tuple[Any, ...], int] = {}
    for row in rows:
        if len(row) != len(expected):
            raise RejectedInput(
                "wrong_columns",
                f"{path}, line {rows.line_num}: {len(row)} values for {len(expected)} columns",
            )
        line = _parse_line(path, line_type, rows.line_num, dict(zip(expected, row, strict=True)))
        key_values = tuple(getattr(line, name) for name in key)
        if key_values in line_numbers:
            raise RejectedInput(
                "repeated",
                f"{path}, line {line.line}: {', '.join(map(str, key_values))} is already on line "
                f"{line_numbers[key_values]}",
            )
        line_numbers[key_values] = line.line
        lines.append(line)
    return lines


def _column_name(name: str) -> str:
    """Return the field name of a column. In the files, two columns have a different name."""
    lowered = name.strip().lower()
    return {"where": "place", "group": "subject"}.get(lowered, lowered)


def _parse_line(path: Path, line_type: type[Line], number: int, row: dict[str, str]) -> Line:
    """Return the checked line; empty values become None. Raises RejectedInput if any is wrong."""
    values = {name: value.strip() or None for name, value in row.items()}
    try:
        return TypeAdapter(line_type).validate_python({"line": number, **values})
    except ValidationError as error:
        causes = "; ".join(f"{problem['loc'][0]}: {problem['msg']}" for problem in error.errors())
        raise RejectedInput("wrong_value", f"{path}, line {number}: {causes}") from None
