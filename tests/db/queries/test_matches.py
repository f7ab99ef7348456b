"""Order and number of matches in the latest run."""

import pytest

from mirpipe.db import queries
from mirpipe.settings import settings
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
