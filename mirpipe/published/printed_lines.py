"""The published tables as frozen lines, read from CSV; a wrong line is named with its number."""

import csv
from dataclasses import dataclass, fields
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from mirpipe.errors import RejectedInput

FOLDER = Path(__file__).parent
"""The copies that come with mirpipe."""

Name = Annotated[str, Field(min_length=1)]
Similarity = Annotated[float, Field(ge=-1, le=1)]
Accuracy = Annotated[float, Field(ge=0, le=1)]
Points = Annotated[float, Field(ge=1, le=10)]
Guidance = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Printed = Annotated[Decimal, Field(allow_inf_nan=False)]
"""A number with the decimals that it was printed with."""

Verdict = Literal["stands", "arithmetic only", "not established", "does not stand", "not measured"]


@dataclass(frozen=True)
class RetrievalLine:
    """An encoder's first answer for a target; names are no keys, `line` is."""

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
    """A clip of a mode at a guidance (`cfg`), scored against its target."""

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
    """A printed mean of an encoder or mode, and its sd where one was printed.

    `discrepancy` says why the lines do not give it; None: they do.
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
    """A change from one mode to another as printed, in percent."""

    line: int
    mode: Name
    than_mode: Name
    metric: Literal["CLAP", "Melody"]
    percent: Printed
    discrepancy: Name | None


@dataclass(frozen=True)
class ClaimLine:
    """A claim in our words; `numbers` holds names in braces, which facts fill in."""

    line: int
    section: Name
    claim: Name
    numbers: Name
    verdict: Verdict
    remark: str | None


@dataclass(frozen=True)
class Tables:
    """All of the published tables."""

    retrieval: list[RetrievalLine]
    generation: list[GenerationLine]
    summary: list[SummaryLine]
    changes: list[ChangeLine]
    claims: list[ClaimLine]


Line = TypeVar("Line", RetrievalLine, GenerationLine, SummaryLine, ChangeLine, ClaimLine)


def read(folder: Path = FOLDER) -> Tables:
    """The tables of a folder that holds the same files as the shipped one.

    Raises RejectedInput, with file, line and reason, at the first that is wrong: `unreadable`,
    `wrong_columns`, `wrong_value`, `repeated`.
    """
    return Tables(
        _lines(folder / "retrieval.csv", RetrievalLine, key=("encoder", "target")),
        _lines(folder / "generation.csv", GenerationLine, key=("mode", "target")),
        _lines(folder / "summary.csv", SummaryLine, key=("task", "subject", "metric")),
        _lines(folder / "changes.csv", ChangeLine, key=("mode", "than_mode", "metric")),
        _lines(folder / "claims.csv", ClaimLine, key=("claim",)),
    )


def _lines(path: Path, kind: type[Line], *, key: tuple[str, ...]) -> list[Line]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise RejectedInput("unreadable", f"{path} cannot be read: {error}") from None
    rows = csv.reader(text.splitlines(keepends=True))
    wanted = [field.name for field in fields(kind) if field.name != "line"]
    header = [_column(name) for name in next(rows, [])]
    if header != wanted:
        raise RejectedInput(
            "wrong_columns",
            f"{path}, line 1: the columns are {', '.join(header) or 'none'}; "
            f"they must be {', '.join(wanted)}",
        )
    found: list[Line] = []
    places: dict[tuple[Any, ...], int] = {}
    for row in rows:
        one = _line(path, kind, rows.line_num, dict(zip(wanted, row, strict=False)), len(row))
        named = tuple(getattr(one, name) for name in key)
        if named in places:
            raise RejectedInput(
                "repeated",
                f"{path}, line {one.line}: {', '.join(map(str, named))} is on line "
                f"{places[named]} already",
            )
        places[named] = one.line
        found.append(one)
    return found


def _column(name: str) -> str:
    lowered = name.strip().lower()
    return {"where": "place", "group": "subject"}.get(lowered, lowered)


def _line(path: Path, kind: type[Line], number: int, row: dict[str, str], length: int) -> Line:
    columns = len(fields(kind)) - 1
    if length != columns:
        raise RejectedInput(
            "wrong_columns", f"{path}, line {number}: {length} values for {columns} columns"
        )
    values = {name: value.strip() or None for name, value in row.items()}
    try:
        return TypeAdapter(kind).validate_python({"line": number, **values})
    except ValidationError as error:
        wrong = "; ".join(f"{one['loc'][0]}: {one['msg']}" for one in error.errors())
        raise RejectedInput("wrong_value", f"{path}, line {number}: {wrong}") from None
