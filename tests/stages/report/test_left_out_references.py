"""Same recordings, albums and artists are left out of P@k, MRR and mAP: equal to ir_measures."""

from dataclasses import dataclass

import ir_measures
import numpy as np
import pytest
from ir_measures import AP, RR, P
from sqlalchemy import text

from mirpipe import settings
from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary, sha256, unit

REFERENCES, TARGETS, KEPT = 64, 6, 50
MEASURES = {"p_at_1": P @ 1, "p_at_5": P @ 5, "p_at_10": P @ 10, "mrr": RR, "map": AP}
Row = dict[str, object]


@dataclass
class MadeLibrary:
    """Two encoders, the vector and the labels of each track, and the pairs of same recordings."""

    ids: dict[str, int]
    vectors: dict[str, dict[str, np.ndarray]]
    labels: dict[str, dict[str, str]]
    same: set[tuple[str, str]]

    def references(self) -> list[str]:
        return [title for title in self.ids if title.startswith("r")]

    def queries(self, kind: str) -> list[str]:
        return [title for title in self.ids if title.startswith(kind[0])]

    def by_cosine(self, encoder: str, query: str) -> list[str]:
        vectors = self.vectors[encoder]
        return sorted(
            (title for title in self.references() if title != query),
            key=lambda title: (-round(float(vectors[query] @ vectors[title]), 9), sha256(title)),
        )

    def r(self, encoder: str, title: str) -> float:
        vectors = self.vectors[encoder]
        nearest = self.by_cosine(encoder, title)[:10]
        return float(np.mean([vectors[title] @ vectors[other] for other in nearest]))

    def by_csls(self, encoder: str, query: str) -> list[str]:
        vectors, ranked = self.vectors[encoder], self.by_cosine(encoder, query)
        scores = {
            title: 2 * float(vectors[query] @ vectors[title]) - self.r(encoder, title)
            for title in ranked[:KEPT]
        }
        return sorted(scores, key=lambda title: -scores[title]) + ranked[KEPT:]

    def by_fusion(self, query: str) -> list[str]:
        scores = dict.fromkeys(self.references(), 0.0)
        for encoder in self.vectors:
            for rank, title in enumerate(self.by_cosine(encoder, query), start=1):
                scores[title] += 1 / (60 + rank)
        return sorted(scores, key=lambda title: (-round(scores[title], 13), sha256(title)))

    def is_same(self, query: str, title: str) -> bool:
        return (query, title) in self.same or (title, query) in self.same

    def share(self, label: str, query: str, title: str) -> bool:
        mine, other = (
            {value.strip() for value in self.labels[name].get(label, "").lower().split(";")} - {""}
            for name in (query, title)
        )
        return bool(mine & other)


def make_library(database: Database, seed: int) -> MadeLibrary:
    random = np.random.default_rng(seed)
    encoders = [SyntheticLibrary(database.app, name=name, dimension=4) for name in ("a", "b")]
    made = MadeLibrary({}, {"a": {}, "b": {}}, {}, set())
    titles = [f"r{number}" for number in range(REFERENCES)]
    titles += [f"t{number}" for number in range(TARGETS)]
    for title in titles:
        collection = "reference" if title.startswith("r") else "target"
        labels = {"genre": str(random.choice(["folk", "jazz", "rock", ""]))}
        labels["artist"] = str(random.choice([" Ann ", "ANN; Bob", "bob", "Cy", ""]))
        labels["album"] = str(random.choice(["One", "one ", "Two", ""]))
        labels = {name: value for name, value in labels.items() if value}
        made.labels[title] = labels
        made.ids[title] = encoders[0].add(collection, title, labels=labels)
        for name, library in zip(made.vectors, encoders, strict=True):
            vector = random.normal(size=4).tolist()
            library.set_vector(made.ids[title], vector)
            made.vectors[name][title] = unit(vector).astype(float)
    for query in titles:
        nearest = made.by_cosine("a", query)[:3]
        for title in random.choice(nearest, random.integers(0, 4), replace=False).tolist():
            if not made.is_same(query, title):
                made.same.add((query, title))
                encoders[0].add_same_recording(made.ids[query], made.ids[title])
    retrieve()
    return made


def rows_of(database: Database) -> list[Row]:
    with database.reader.connect() as connection:
        rows = connection.execute(
            text("SELECT * FROM mirpipe.v_ranking WHERE label = 'genre'")
        ).mappings()
        return [dict(row) for row in rows]


def expected_means(
    made: MadeLibrary, rankings: dict[str, list[str]], removed: dict[str, set[str]]
) -> tuple[dict[str, float], set[str]]:
    """Return the means of ir_measures and the counted queries, after removal by hand."""
    qrels, run = [], []
    for query, ranked in rankings.items():
        order = [title for title in ranked if title not in removed[query]]
        relevant = {title for title in order if made.share("genre", query, title)}
        if relevant:
            qrels += [ir_measures.Qrel(query, title, int(title in relevant)) for title in order]
            run += [
                ir_measures.ScoredDoc(query, title, -float(rank))
                for rank, title in enumerate(order)
            ]
    found = ir_measures.calc_aggregate(list(MEASURES.values()), qrels, run)
    means = {name: found[measure] for name, measure in MEASURES.items()}
    return means, {qrel.query_id for qrel in qrels}


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_measures_equal_ir_measures_without_the_same_recordings(
    fresh_database: Database, seed: int
) -> None:
    made = make_library(fresh_database, seed)
    report(trigger="test")
    rows = [row for row in rows_of(fresh_database) if row["filter"] == "none"]
    compared = set()
    for encoder, kind, rerank in {(row["encoder"], row["queries"], row["rerank"]) for row in rows}:
        rankings = {}
        for query in made.queries(str(kind)):
            if rerank == "fusion":
                rankings[query] = made.by_fusion(query)
            elif rerank == "csls":
                rankings[query] = made.by_csls(str(encoder), query)
            else:
                rankings[query] = made.by_cosine(str(encoder), query)
        removed = {
            query: {title for title in made.references() if made.is_same(query, title)}
            for query in rankings
        }
        means, counted = expected_means(made, rankings, removed)
        found = [
            row
            for row in rows
            if (row["encoder"], row["queries"], row["rerank"]) == (encoder, kind, rerank)
        ]
        assert {row["metric"]: row["mean"] for row in found} == pytest.approx(means)
        assert {(row["n"], row["left_out_n"]) for row in found} == {
            (len(counted), len(rankings) - len(counted))
        }
        assert {row["same_recording_n"] for row in found} == {sum(map(len, removed.values()))}
        compared.add((encoder, kind, rerank))
    assert len(compared) == 9
    assert made.same


@pytest.mark.parametrize("name", ["album", "artist"])
def test_filters_leave_out_the_album_or_the_artists_of_the_query(
    fresh_database: Database, name: str
) -> None:
    made = make_library(fresh_database, 3)
    report(trigger="test")
    rows = [row for row in rows_of(fresh_database) if row["filter"] == name]
    compared = set()

    def is_removed(query: str, title: str) -> bool:
        if name == "artist":
            return made.share("artist", query, title)
        mine, other = made.labels[query], made.labels[title]
        return (
            "album" in mine
            and mine["album"].strip().lower() == other.get("album", "").strip().lower()
            and mine.get("artist", "").strip().lower() == other.get("artist", "").strip().lower()
        )

    for encoder, kind, rerank in {(row["encoder"], row["queries"], row["rerank"]) for row in rows}:
        rankings = {
            query: made.by_fusion(query)
            if rerank == "fusion"
            else made.by_cosine(str(encoder), query)
            for query in made.queries(str(kind))
        }
        removed = {
            query: {
                title
                for title in made.references()
                if made.is_same(query, title) or is_removed(query, title)
            }
            for query in rankings
        }
        means, counted = expected_means(made, rankings, removed)
        found = [
            row
            for row in rows
            if (row["encoder"], row["queries"], row["rerank"]) == (encoder, kind, rerank)
        ]
        assert {row["metric"]: row["mean"] for row in found} == pytest.approx(means)
        assert {row["filtered_n"] for row in found} == {
            sum(name in made.labels[query] for query in counted)
        }
        compared.add((encoder, kind, rerank))
    assert {rerank for _, _, rerank in compared} == {"cosine", "fusion"}
    assert len(compared) == 5


@pytest.fixture
def library(fresh_database: Database) -> SyntheticLibrary:
    """Three references and two targets, without an album or an artist."""
    library = SyntheticLibrary(fresh_database.app)
    library.add("reference", "copy", [1, 0, 0], labels={"genre": "folk"})
    library.add("reference", "north", [0.9, 1, 0], labels={"genre": "jazz"})
    library.add("reference", "up", [0, 0.1, 1], labels={"genre": "folk"})
    library.add("target", "near copy", [1, 0.01, 0], labels={"genre": "folk"})
    library.add("target", "near up", [0, 0, 1], labels={"genre": "folk"})
    return library


def test_the_setting_lets_same_recordings_count_and_the_run_says_so(
    fresh_database: Database, library: SyntheticLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    retrieve()
    first = report(trigger="test").run_id
    ids = dict(library.rows("SELECT title, track_id FROM mirpipe.track"))
    library.add_same_recording(ids["copy"], ids["near copy"])
    second = report(trigger="test").run_id
    assert not report(trigger="test").changed
    monkeypatch.setenv("MIRPIPE_SAME_RECORDING_COUNTS", "true")
    settings.settings.cache_clear()
    third = report(trigger="test").run_id
    assert first < second < third
    with fresh_database.reader.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT h.run_id, r.same_recording_counts, h.mean, h.same_recording_n "
                "FROM mirpipe.v_ranking_history h JOIN mirpipe.run r USING (run_id) "
                "WHERE metric = 'p_at_1' AND queries = 'targets' AND rerank = 'cosine' "
                "AND filter = 'none' ORDER BY 1"
            )
        ).all()
    # Without the copy, the best match of `near copy` is `north`, which has another genre.
    assert [tuple(row) for row in rows] == [
        (first, False, 1.0, 0),
        (second, False, 0.5, 1),
        (third, True, 1.0, 0),
    ]


def test_a_library_without_albums_and_artists_has_no_filtered_rows(
    fresh_database: Database, library: SyntheticLibrary
) -> None:
    retrieve()
    report(trigger="test")
    assert {row["filter"] for row in rows_of(fresh_database)} == {"none"}


def test_a_pair_that_is_no_match_publishes_a_new_run(
    fresh_database: Database, library: SyntheticLibrary
) -> None:
    retrieve()
    first = report(trigger="test").run_id
    ids = dict(library.rows("SELECT title, track_id FROM mirpipe.track"))
    library.add_same_recording(ids["copy"], ids["up"])
    assert report(trigger="test").run_id > first
    assert {
        row["same_recording_n"] for row in rows_of(fresh_database) if row["queries"] == "references"
    } == {2}


def test_the_reference_with_the_content_of_the_target_is_not_counted_as_left_out(
    fresh_database: Database, library: SyntheticLibrary
) -> None:
    library.add("target", "up", [0, 0.1, 1], labels={"genre": "folk"})
    retrieve()
    report(trigger="test")
    rows = [row for row in rows_of(fresh_database) if row["queries"] == "targets"]
    assert {(row["same_recording_n"], row["n"]) for row in rows} == {(0, 3)}
