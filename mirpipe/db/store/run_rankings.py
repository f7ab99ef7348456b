"""What the rankings of a run are measured on, and the rows that come of it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from mirpipe.db.store import binary_copy
from mirpipe.records import LABELS, Float64, Int64


@dataclass(frozen=True)
class Serving:
    """A revision that answers."""

    encoder_id: int
    name: str
    random: bool
    """Its weights are: what it answers says nothing about music."""


@dataclass(frozen=True)
class Labelled:
    """Tracks in the order they were asked for: their content, and what each is labelled."""

    hashes: NDArray[np.bytes_]
    labels: dict[str, list[str | None]]
    """A value a track under each of LABELS."""


@dataclass(frozen=True)
class Ranking:
    """A row of run_ranking; `encoder_id` is None for fusion."""

    encoder_id: int | None
    queries: str
    label: str
    metric: str
    rerank: str
    n: int
    left_out_n: int
    mean: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class HubnessOf:
    """A row of run_hubness."""

    encoder_id: int
    queries: str
    rerank: str
    k: int
    skewness: float | None
    largest: int
    largest_reference_id: int
    never_retrieved_share: float
    n: int
    references_n: int


@dataclass(frozen=True)
class Hub:
    """A row of run_hub."""

    encoder_id: int
    queries: str
    rerank: str
    k: int
    rank: int
    reference_id: int
    retrieved_n: int


@dataclass(frozen=True)
class AgreementOf:
    """A row of run_agreement."""

    encoder_id: int
    other_id: int
    rbo: float
    top1: float
    n: int


@dataclass(frozen=True)
class Csls:
    """A row of run_csls."""

    encoder_id: int
    kept: int
    neighbourhood: int
    base_n: int
    targets_n: int
    references_n: int
    is_sample: bool
    top1_equal: float
    top10_overlap: float
    base_targets_n: int | None = None
    base_top1_equal: float | None = None
    base_top10_overlap: float | None = None


@dataclass(frozen=True)
class Answers:
    """Rows of run_answer, arrays of one length; the last two are None for fusion."""

    target_ids: Int64
    ranks: Int64
    reference_ids: Int64
    scores: Float64
    cosines: Float64 | None = None
    cosine_ranks: Int64 | None = None


Row = Ranking | HubnessOf | Hub | AgreementOf | Csls

_TABLES: dict[type[Row], str] = {
    Ranking: "run_ranking",
    HubnessOf: "run_hubness",
    Hub: "run_hub",
    AgreementOf: "run_agreement",
    Csls: "run_csls",
}
_SERVING = text("""
    SELECT e.encoder_id, e.name, coalesce(e.spec ->> 'checkpoint' LIKE '%random%', false)
    FROM mirpipe.serving_revision JOIN mirpipe.encoder e USING (encoder_id) ORDER BY e.name
""")
_LABELLED = text(f"""
    SELECT t.content_sha256, {", ".join(f"t.labels ->> '{label}'" for label in LABELS)}
    FROM unnest(CAST(:track_ids AS bigint[])) WITH ORDINALITY asked (track_id, place)
    JOIN mirpipe.track t USING (track_id) ORDER BY place
""")
_FORGET = text("DELETE FROM mirpipe.run_answer WHERE run_id < :run_id")


def serving(connection: Connection) -> list[Serving]:
    """The revisions that answer, by name."""
    return [Serving(*row) for row in connection.execute(_SERVING)]


def labelled(connection: Connection, track_ids: Int64) -> Labelled:
    """Content and labels of these tracks."""
    rows = connection.execute(_LABELLED, {"track_ids": track_ids.tolist()}).all()
    return Labelled(
        np.array([bytes(row[0]) for row in rows], "S32"),
        {label: [row[at] for row in rows] for at, label in enumerate(LABELS, start=1)},
    )


def write(connection: Connection, run_id: int, rows: Sequence[Row]) -> None:
    """Stores rows of a run, each in its table."""
    for kind, table in _TABLES.items():
        given = [{"run_id": run_id, **asdict(row)} for row in rows if type(row) is kind]
        if given:
            columns = list(given[0])
            connection.execute(
                text(
                    f"INSERT INTO mirpipe.{table} ({', '.join(columns)}) "
                    f"VALUES ({', '.join(f':{column}' for column in columns)})"
                ),
                given,
            )


def write_answers(
    connection: Connection, run_id: int, method: str, encoder_id: int | None, answers: Answers
) -> None:
    """Stores the first answers of another ranking than cosine."""
    n = len(answers.target_ids)
    columns = {
        "run_id": np.full(n, run_id),
        "method": [method] * n,
        "target_id": answers.target_ids,
        "rank": answers.ranks,
        "reference_id": answers.reference_ids,
        "score": answers.scores,
    }
    if encoder_id is not None:
        columns["encoder_id"] = np.full(n, encoder_id)
    if answers.cosines is not None and answers.cosine_ranks is not None:
        columns |= {"cosine": answers.cosines, "cosine_rank": answers.cosine_ranks}
    binary_copy.copy_rows(connection, "mirpipe.run_answer", list(columns), list(columns.values()))


def forget_answers(connection: Connection, run_id: int) -> None:
    """Removes the further answers of the runs before this one: they are not kept."""
    connection.execute(_FORGET, {"run_id": run_id})
