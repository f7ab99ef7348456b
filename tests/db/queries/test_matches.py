"""Order and number of matches in the latest run."""

from pathlib import Path

import pytest

from mirpipe.db import queries
from mirpipe.settings import settings
from tests.dashboard.example_library import Piece, fill
from tests.db.queries.conftest import MODELS, PIECES
from tests.support.databases import Database


def test_encoders_are_in_the_order_of_the_settings(
    filled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_ENCODERS", "zzz,aaa")
    settings.cache_clear()
    assert [row.encoder for row in queries.encoder_revisions()] == ["zzz", "aaa"]
    assert [row.encoder for row in queries.best_matches()] == ["zzz", "aaa"]
    assert [row.encoder for row in queries.retrieval_summaries()][::5] == ["zzz", "aaa"]


def test_matches_are_sorted_by_rank_and_limited_to_k(filled: Database) -> None:
    (target,) = queries.targets()
    assert target.has_matches
    assert [row.rank for row in queries.matches(target.track_id)] == [1, 2, 1, 2]
    (match, _) = queries.matches(target.track_id, k=1)
    assert match.melodic
    assert isinstance(match.percentile, float)


def test_the_targets_that_stand_out_least_are_listed_first_if_there_are_too_many(
    fresh_database: Database,
) -> None:
    others = [Piece("target", title, Path(f"/nowhere/{title}")) for title in "badc"]
    with fresh_database.app.begin() as connection:
        fill(connection, (*PIECES, *others), MODELS)
    every = queries.best_matches()
    lowest: dict[str, float] = {}
    for match in every:
        assert match.z is not None
        lowest[match.target] = min(match.z, lowest.get(match.target, match.z))
    assert len(lowest) == 5
    for most in (2, 3, 5, 9):
        shown = set(sorted(lowest, key=lowest.__getitem__)[:most])
        expected = [match for match in every if match.target in shown]
        assert queries.best_matches(most_targets=most) == expected
