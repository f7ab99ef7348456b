"""The fusion ranks the whole library: its measures equal those of ir_measures."""

from collections import defaultdict

import ir_measures
import numpy as np
import pytest
from ir_measures import AP, RR, P
from sqlalchemy import text

from mirpipe.stages.report import fused_rankings, report
from mirpipe.stages.retrieve import retrieve
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary, sha256, unit

REFERENCES, TARGETS = 70, 8
Vectors = dict[str, list[float]]


@pytest.fixture
def vectors(fresh_database: Database) -> dict[str, Vectors]:
    """Add a library that three encoders embed, and return the vectors of each encoder by title.

    There are more references than a neighbour list has entries. Few vectors are distinct, so many
    cosines tie. Some tracks have no vector by an encoder, some have no label, and the first target
    has the content of the first reference.
    """
    random = np.random.default_rng(0)
    libraries = [SyntheticLibrary(fresh_database.app, name=name) for name in ("a", "b", "c")]
    stored: dict[str, Vectors] = {name: {} for name in ("a", "b", "c")}
    titles = [("reference", f"r{number}") for number in range(REFERENCES)]
    titles += [("target", f"t{number}") for number in range(TARGETS)]
    for collection, title in titles:
        content = "r0" if title == "t0" else title
        genre = str(random.choice(["folk", "jazz", ""]))
        if content == "r0":
            genre = "folk"  # The target and its own reference have the same genre.
        labels = {"genre": genre} if genre else {}
        track_id = libraries[0].add(collection, content, title=title, labels=labels)
        for name, library in zip(stored, libraries, strict=True):
            vector = random.integers(-1, 2, 3).tolist()
            if any(vector) and (content == "r0" or random.random() < 0.8):
                library.set_vector(track_id, vector)
                stored[name][title] = vector
    retrieve()
    return stored


def labels_of(database: Database) -> dict[str, str | None]:
    with database.reader.connect() as connection:
        rows = connection.execute(text("SELECT title, labels ->> 'genre' FROM mirpipe.track"))
        return {row[0]: row[1] for row in rows}


def fused(vectors: dict[str, Vectors], target: str) -> dict[str, float]:
    """Return the fusion score of each reference that an encoder ranks for the target."""
    scores: dict[str, float] = defaultdict(float)
    for stored in vectors.values():
        if target not in stored:
            continue
        query = unit(stored[target]).astype(float)
        ranked = sorted(
            (round(-float(query @ unit(vector).astype(float)), 9), sha256(title), title)
            for title, vector in stored.items()
            if title.startswith("r") and not (title == "r0" and target == "t0")
        )
        for rank, (_, _, title) in enumerate(ranked, start=1):
            scores[title] += 1 / (60 + rank)
    return scores


@pytest.mark.parametrize("max_scores", [1, 1 << 25])
def test_measures_of_the_fusion_equal_ir_measures(
    fresh_database: Database,
    vectors: dict[str, Vectors],
    max_scores: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fused_rankings, "MAX_SCORES", max_scores)  # 1: one target per block.
    report(trigger="test")
    genre = labels_of(fresh_database)
    qrels, run = [], []
    matches = []
    for target in [title for title in genre if title.startswith("t")]:
        scores = fused(vectors, target)
        order = sorted(scores, key=lambda title: (-round(scores[title], 14), sha256(title)))
        matches += [(target, rank, title) for rank, title in enumerate(order[:10], start=1)]
        relevant = [title for title in order if genre[target] and genre[title] == genre[target]]
        if relevant:
            qrels += [ir_measures.Qrel(target, title, int(title in relevant)) for title in order]
            run += [
                ir_measures.ScoredDoc(target, title, -float(rank))
                for rank, title in enumerate(order)
            ]
    expected = ir_measures.calc_aggregate([P @ 1, P @ 5, P @ 10, RR, AP], qrels, run)
    counted = len({qrel.query_id for qrel in qrels})
    assert 0 < counted < TARGETS
    with fresh_database.reader.connect() as connection:
        found = connection.execute(
            text("SELECT target, rank, reference FROM mirpipe.v_fusion ORDER BY target, rank")
        )
        assert [tuple(row) for row in found] == sorted(matches)
        rows = connection.execute(
            text(
                "SELECT metric, mean, n, n + left_out_n FROM mirpipe.v_ranking "
                "WHERE rerank = 'fusion' ORDER BY metric"
            )
        ).all()
    names = {"p_at_1": P @ 1, "p_at_5": P @ 5, "p_at_10": P @ 10, "mrr": RR, "map": AP}
    assert {row[0]: row[1] for row in rows} == pytest.approx(
        {name: expected[measure] for name, measure in names.items()}
    )
    assert {tuple(row[2:]) for row in rows} == {(counted, TARGETS)}
