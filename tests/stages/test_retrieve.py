"""Neighbour lists equal the result of a full search, whatever changes preceded them."""

import threading

import numpy as np
import pytest
from sqlalchemy import text

from mirpipe.db.store import (
    binary_copy,
    cosine_moments,
    neighbour_list_changes,
    neighbour_lists,
)
from mirpipe.errors import PluginError
from mirpipe.stages import retrieve as stage
from mirpipe.stages.retrieve import retrieve
from mirpipe.statistics.exact_cosines import cosines
from tests.support.synthetic_library import SyntheticLibrary, sha256, unit
from tests.support.waiting import eventually, sessions_waiting


@pytest.fixture
def library(fresh_database):
    return SyntheticLibrary(fresh_database.app)


def set_list_lengths(monkeypatch, max_entries: int, shown: int) -> None:
    monkeypatch.setattr(neighbour_lists, "MAX_ENTRIES", max_entries)
    monkeypatch.setattr(neighbour_lists, "SHOWN_MATCHES", shown)


class Expected:
    """The expected content of the library, which the test records outside the database."""

    def __init__(self) -> None:
        self.tracks: dict[int, tuple[str, object]] = {}
        self.vectors: dict[int, np.ndarray] = {}
        self.gone: set[int] = set()

    def searchable(self, collection: str) -> list[int]:
        """Return the ids of a collection's searchable tracks."""
        return [t for t in self.vectors if t not in self.gone and self.tracks[t][0] == collection]

    def ranking(self, target: int) -> list[tuple[float, bytes, int]]:
        """Return all references that the target's list can contain, best first."""
        own = sha256(self.tracks[target][1])
        return sorted(
            (-float(cosines(self.vectors[target][None], self.vectors[r][None])[0]), key, r)
            for r in self.searchable("reference")
            if (key := sha256(self.tracks[r][1])) != own
        )


def lists_of(library: SyntheticLibrary) -> dict[int, list[tuple[float, bytes, int]]]:
    rows = library.rows(
        "SELECT target_id, -cosine, content_sha256, reference_id FROM mirpipe.neighbour "
        "JOIN mirpipe.track ON track_id = reference_id WHERE encoder_id = :encoder_id"
    )
    states = library.rows(
        "SELECT target_id FROM mirpipe.neighbour_state WHERE encoder_id = :encoder_id"
    )
    lists: dict[int, list] = {target: [] for (target,) in states}
    for target, negative, key, reference in rows:
        lists[target].append((negative + 0.0, bytes(key), reference))
    return {target: sorted(entries) for target, entries in lists.items()}


def horizons_of(library: SyntheticLibrary) -> dict[int, tuple[float, bytes] | None]:
    return {
        target: None if cosine is None else (-cosine, bytes(key))
        for target, cosine, key in library.rows(
            "SELECT target_id, horizon_cosine, horizon_sha256 FROM mirpipe.neighbour_state "
            "WHERE encoder_id = :encoder_id"
        )
    }


def assert_exact(library: SyntheticLibrary, expected: Expected) -> None:
    lists, horizons = lists_of(library), horizons_of(library)
    assert set(lists) == set(expected.searchable("target"))
    for target, entries in lists.items():
        ranking, horizon = expected.ranking(target), horizons[target]
        complete = [e for e in ranking if horizon is None or e[:2] <= horizon]
        assert entries == complete
        assert len(entries) <= neighbour_lists.MAX_ENTRIES
        assert entries[: neighbour_lists.SHOWN_MATCHES] == ranking[: neighbour_lists.SHOWN_MATCHES]
    assert library.rows("SELECT * FROM mirpipe.embedding_change") == []
    assert_moments_are_exact(library, expected)


def assert_moments_are_exact(library: SyntheticLibrary, expected: Expected) -> None:
    references = [expected.vectors[r].astype(np.float64) for r in expected.searchable("reference")]
    with library.app.connect() as connection:
        moments = cosine_moments.read_moments(connection, library.encoder_id)
        target_cosines = cosine_moments.read_target_cosines(connection, library.encoder_id)
    assert moments.n == len(references)
    outer = sum((np.outer(r, r) for r in references), np.zeros((3, 3)))
    np.testing.assert_allclose(moments.outer_sum, outer, rtol=0, atol=1e-12)
    np.testing.assert_allclose(moments.vector_sum, sum(references, np.zeros(3)), rtol=0, atol=1e-12)
    targets = expected.searchable("target") if references else []
    assert sorted(target_cosines.target_ids) == sorted(targets)
    columns = (target_cosines.target_ids, target_cosines.mean, target_cosines.sd)
    for target, mean, sd in zip(*columns, strict=True):
        scores = [float(expected.vectors[target].astype(np.float64) @ r) for r in references]
        assert mean == pytest.approx(np.mean(scores), abs=1e-12)
        assert sd == pytest.approx(np.std(scores), abs=1e-6)


def new_content(rng: np.random.Generator, expected: Expected, collection: str) -> object:
    """Return content which, in half of the cases, a track of another collection also has."""
    shared = [content for other, content in expected.tracks.values() if other != collection]
    if shared and rng.random() < 0.5:
        return shared[rng.integers(len(shared))]
    return int(rng.integers(10_000))


def change(rng: np.random.Generator, library: SyntheticLibrary, expected: Expected) -> None:
    """Change the library at random.

    Vector coordinates have few different values, so that many cosines are equal.
    """
    vector = rng.integers(-2, 3, 3)
    vector[rng.integers(3)] += 0 if vector.any() else 1
    known = list(expected.tracks)
    kinds = ["add"] * 6 + ["embed", "delete vector", "gone", "back", "new content"]
    kind = rng.choice(kinds) if known else "add"
    if kind == "add":
        collection = str(rng.choice(["reference"] * 4 + ["target", "generated"]))
        content = new_content(rng, expected, collection)
        if (collection, content) not in expected.tracks.values():
            track = library.add(collection, content, vector)
            expected.tracks[track] = (collection, content)
            expected.vectors[track] = unit(vector)
        return
    track = int(rng.choice(known))
    if kind == "new content":
        collection = expected.tracks[track][0]
        content = new_content(rng, expected, collection)
        if (collection, content) not in expected.tracks.values():
            library.set_content(track, content)
            expected.tracks[track] = (collection, content)
    elif kind == "embed":
        library.set_vector(track, vector)
        expected.vectors[track] = unit(vector)
    elif kind == "delete vector":
        library.delete_vector(track)
        expected.vectors.pop(track, None)
    elif kind == "gone":
        library.set_state(track, "gone")
        expected.gone.add(track)
    else:
        library.set_state(track, "ok")
        expected.gone.discard(track)


@pytest.mark.parametrize(
    ("seed", "max_entries", "shown", "block_rows", "per_block"),
    [(1, 5, 2, 3, 1), (2, 3, 3, 1, 2), (3, 8, 1, 1000, 1000), (4, 50, 10, 7, 3)],
)
def test_lists_are_exact_after_any_history(
    library, monkeypatch, seed, max_entries, shown, block_rows, per_block
):
    set_list_lengths(monkeypatch, max_entries, shown)
    monkeypatch.setattr(binary_copy, "BLOCK_ROWS", block_rows)
    monkeypatch.setattr(stage, "REFERENCES_PER_BLOCK", per_block)
    monkeypatch.setattr(stage, "TARGETS_PER_BLOCK", per_block)
    rng = np.random.default_rng(seed)
    expected = Expected()
    for _ in range(25):
        for _ in range(rng.choice([0, 1, 2, 12])):
            change(rng, library, expected)
        retrieve()
        assert_exact(library, expected)
    shown_before = {t: entries[:shown] for t, entries in lists_of(library).items()}
    retrieve(rebuild=True)
    assert_exact(library, expected)
    assert {t: entries[:shown] for t, entries in lists_of(library).items()} == shown_before


def fill(library: SyntheticLibrary, references: int, targets: int = 3) -> list[int]:
    rng = np.random.default_rng(5)
    for n in range(targets):
        library.add("target", f"target {n}", rng.standard_normal(3))
    return [
        library.add("reference", f"reference {n}", rng.standard_normal(3))
        for n in range(references)
    ]


def test_second_retrieve_does_nothing(library):
    fill(library, 20)
    (first,) = retrieve()
    (second,) = retrieve()
    assert (first.changed, first.searched) == (23, 3)
    assert (second.changed, second.removed, second.admitted, second.searched) == (0, 0, 0, 0)


def test_a_retrieve_that_is_stopped_keeps_its_finished_blocks(library, monkeypatch):
    fill(library, 20, targets=6)
    monkeypatch.setattr(stage, "REFERENCES_PER_BLOCK", 7)
    monkeypatch.setattr(stage, "TARGETS_PER_BLOCK", 2)
    seen: list[tuple[int, int]] = []

    def stop_after_24(done: int, total: int) -> None:
        seen.append((done, total))
        if done >= 24:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        retrieve(progress=stop_after_24)
    assert seen == [(7, 26), (14, 26), (20, 26), (22, 26), (24, 26)]
    assert len(lists_of(library)) == 4
    (rest,) = retrieve()
    assert (rest.changed, rest.searched) == (2, 2)
    assert sorted(map(len, lists_of(library).values())) == [20] * 6


def test_a_rebuild_that_is_stopped_changes_nothing(library, monkeypatch):
    fill(library, 20, targets=6)
    retrieve()
    before = lists_of(library)
    monkeypatch.setattr(stage, "TARGETS_PER_BLOCK", 2)

    def stop(done: int, _total: int) -> None:
        assert lists_of(library) == before  # Other sessions never see empty lists.
        if done >= 22:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        retrieve(rebuild=True, progress=stop)
    assert lists_of(library) == before
    (result,) = retrieve()
    assert result.changed == 0


def test_lists_that_are_too_short_are_searched_in_blocks(library, monkeypatch):
    references = fill(library, 30, targets=5)
    set_list_lengths(monkeypatch, 4, 3)
    retrieve(rebuild=True)
    monkeypatch.setattr(stage, "TARGETS_PER_BLOCK", 2)
    for reference in references[:28]:
        library.set_state(reference, "gone")
    (result,) = retrieve()
    assert result.searched == 5
    assert sorted(map(len, lists_of(library).values())) == [2] * 5


def test_new_references_need_no_search_over_the_library(library):
    fill(library, 80)
    retrieve()
    library.add("reference", "one more", [1, 2, 3])
    (result,) = retrieve()
    assert (result.changed, result.searched) == (1, 0)
    assert result.admitted <= 3


def test_removals_search_only_lists_that_become_shorter_than_what_is_shown(library, monkeypatch):
    set_list_lengths(monkeypatch, 5, 2)
    references = fill(library, 30, targets=1)
    retrieve()
    ((_, entries),) = lists_of(library).items()
    assert len(entries) == 5
    for _, _, reference in entries[:3]:
        library.set_state(reference, "gone")
    (result,) = retrieve()
    assert (result.removed, result.searched) == (3, 0)
    library.delete_vector(entries[3][2])
    (result,) = retrieve()
    assert (result.removed, result.searched) == (1, 1)
    assert len(lists_of(library).popitem()[1]) == 5
    assert len(references) == 30


def test_a_list_that_contains_all_references_is_not_searched_again(library):
    fill(library, 4, targets=2)
    retrieve()
    library.set_state(library.add("reference", "more", [1, 1, 1]), "gone")
    (result,) = retrieve()
    assert result.searched == 0


def test_the_reference_at_the_horizon_enters_the_list_when_it_returns(library, monkeypatch):
    set_list_lengths(monkeypatch, 3, 1)
    fill(library, 9, targets=1)
    retrieve()
    ((_, entries),) = lists_of(library).items()
    for state in ("gone", "ok"):
        library.set_state(entries[2][2], state)
        (result,) = retrieve()
        assert result.searched == 0
    assert lists_of(library).popitem()[1] == entries


def test_of_equal_cosines_at_the_horizon_the_lower_hash_stays(library, monkeypatch):
    set_list_lengths(monkeypatch, 2, 1)
    library.add("target", "t", [1, 0, 0])
    by_hash = sorted(range(4), key=sha256)
    for content in (by_hash[1], by_hash[2], by_hash[3]):
        library.add("reference", content, [1, 0, 0])
    retrieve()
    lowest = library.add("reference", by_hash[0], [1, 0, 0])
    retrieve()
    ((_, entries),) = lists_of(library).items()
    assert [key for _, key, _ in entries] == [sha256(by_hash[0]), sha256(by_hash[1])]
    assert entries[0][2] == lowest


def test_only_configured_and_active_revisions_are_updated(fresh_database):
    configured = SyntheticLibrary(fresh_database.app, name="configured")
    active = SyntheticLibrary(fresh_database.app, name="active")
    unused = SyntheticLibrary(fresh_database.app, name="unused")
    configured.execute("UPDATE mirpipe.encoder SET wanted = (name = 'configured')")
    configured.execute(
        "INSERT INTO mirpipe.serving_revision VALUES ('active', :e)", e=active.encoder_id
    )
    for number, library in enumerate((configured, active, unused)):
        library.add("target", f"t{number}", [1, 0, 0])
        library.add("reference", f"r{number}", [1, 1, 0])
    assert [result.encoder for result in retrieve()] == ["active", "configured"]
    assert (
        unused.rows("SELECT encoder_id FROM mirpipe.embedding_change") == [(unused.encoder_id,)] * 2
    )
    assert [result.encoder for result in retrieve(["configured"])] == ["configured"]
    with pytest.raises(PluginError, match="mirpipe embed --encoder unknown"):
        retrieve(["unknown"])


def test_two_retrieves_in_parallel_do_the_work_once(library):
    fill(library, 60)
    results = []
    threads = [threading.Thread(target=lambda: results.extend(retrieve())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(result.changed for result in results) == 63
    assert sum(result.searched for result in results) == 3
    assert {len(entries) for entries in lists_of(library).values()} == {50}


def test_sums_are_right_after_a_vector_changes_twice_before_the_next_retrieve(library):
    expected = Expected()
    for content, vector in enumerate(([1, 0, 0], [0, 1, 0], [0, 1, 1])):
        track = library.add("reference", content, vector)
        expected.tracks[track] = ("reference", content)
        expected.vectors[track] = unit(vector)
    retrieve()
    first, second, third = expected.tracks
    for vector in ([0, 0, 1], [2, 0, 1]):
        library.set_vector(first, vector)
    library.delete_vector(second)
    library.set_vector(second, [1, 1, 1])
    library.set_state(third, "gone")
    library.delete_vector(third)
    expected.vectors = {first: unit([2, 0, 1]), second: unit([1, 1, 1])}
    retrieve()
    assert_moments_are_exact(library, expected)


def test_a_second_retrieve_waits_for_the_first(library):
    fill(library, 5)
    results = []
    second = threading.Thread(target=lambda: results.extend(retrieve()))
    with library.app.begin() as first:
        neighbour_list_changes.lock_lists(first, library.encoder_id)
        second.start()
        eventually(lambda: not second.is_alive() or sessions_waiting(library.app))
        assert second.is_alive()
    second.join(60)
    assert [result.changed for result in results] == [8]


def test_a_change_that_is_written_while_retrieve_runs_is_not_lost(library):
    reference = fill(library, 5)[0]
    with library.app.connect() as writer:
        with writer.begin():
            writer.execute(
                text("UPDATE mirpipe.track SET state = 'gone' WHERE track_id = :id"),
                {"id": reference},
            )
            retrieve()  # It cannot see the uncommitted change, which must stay in the queue.
        assert library.rows("SELECT track_id FROM mirpipe.embedding_change") == [(reference,)]
    retrieve()
    assert reference not in {entry[2] for entry in lists_of(library).popitem()[1]}
    assert library.rows("SELECT n FROM mirpipe.background_moment") == [(4,)]
    assert library.rows("SELECT track_id FROM mirpipe.embedding_change") == []


def test_a_vector_that_is_written_while_its_track_goes_is_no_match(library):
    fill(library, 5)
    track = library.add("reference", "new")
    embed = threading.Thread(target=library.set_vector, args=(track, [1, 1, 1]))
    with library.app.connect() as ingest:
        with ingest.begin():
            ingest.execute(
                text("UPDATE mirpipe.track SET state = 'gone' WHERE track_id = :id"), {"id": track}
            )
            embed.start()
            eventually(lambda: not embed.is_alive() or sessions_waiting(library.app))
            retrieve()
        embed.join(60)
    retrieve()
    assert track not in {e[2] for entries in lists_of(library).values() for e in entries}
    assert library.rows("SELECT n FROM mirpipe.background_moment") == [(5,)]
