"""Tests for the HNSW indexes of the search: building, an interrupted build, dropping, messages."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from pgvector import Vector
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from typer.testing import CliRunner

from mirpipe.cli.main import app
from mirpipe.db import search_index
from mirpipe.db.queries import vector_search
from mirpipe.db.search_index import SearchIndex, build_search_index, search_indexes
from mirpipe.errors import ConfigurationError
from mirpipe.operations.doctor import database
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary
from tests.support.waiting import eventually

REFERENCES, DIMENSION = 300, 16
NO_SORT = ", ".join(
    f"set_config('enable_{scan}', 'off', true)" for scan in ("sort", "seqscan", "bitmapscan")
)


@pytest.fixture
def library(fresh_database: Database) -> SyntheticLibrary:
    made = SyntheticLibrary(fresh_database.app, dimension=DIMENSION)
    vectors = np.random.default_rng(1).standard_normal((REFERENCES, DIMENSION))
    for number, vector in enumerate(vectors):
        made.add("reference", f"r{number}", vector)
    return made


@pytest.fixture
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_index, "MANY_REFERENCES", REFERENCES)


def index(fresh: Database) -> SearchIndex:
    with fresh.reader.connect() as reader:
        (found,) = search_indexes(reader)
    return found


def db_index(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["db", "index", *arguments])
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


def nearest(seed: int) -> list[tuple[int, float]]:
    """Return the ids and cosines of the references that are nearest to a random vector."""
    (revision,) = vector_search.searchable_revisions()
    query = np.random.default_rng(seed).standard_normal(DIMENSION).astype(np.float32)
    query /= np.linalg.norm(query)
    found = vector_search.nearest_references(revision, query, k=10, excluded_sha256=b"")
    return [(reference.track_id, reference.cosine) for reference in found]


def test_the_search_uses_the_index_and_returns_the_same(
    library: SyntheticLibrary,
    fresh_database: Database,
    few_are_many: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = [nearest(seed) for seed in range(10)]
    assert "the index is built" in db_index()
    # With so few references, Postgres would sort all of them.
    without_sort = f"{vector_search._INDEX_SETTINGS.text}, {NO_SORT}"
    monkeypatch.setattr(vector_search, "_INDEX_SETTINGS", text(without_sort))
    assert [nearest(seed) for seed in range(10)] == before
    statement = vector_search._NEAREST_REFERENCES.format(encoder_id=library.encoder_id)
    parameters = {
        "vector": Vector(np.ones(DIMENSION)).to_text(),
        "excluded_sha256": b"",
        "limit": 20,
    }
    with fresh_database.reader.connect() as reader:
        reader.execute(text(f"SELECT {NO_SORT}"))
        plan = reader.execute(text(f"EXPLAIN {statement}"), parameters).scalars().all()
    name = f"embedding_{library.encoder_id}_hnsw"
    assert any(f"Index Scan using {name}" in line for line in plan)


def test_an_index_that_exists_is_kept_and_can_be_dropped(
    library: SyntheticLibrary, fresh_database: Database, few_are_many: None
) -> None:
    db_index()
    first = index(fresh_database)
    assert first.is_valid
    assert first.bytes > 0
    assert "has an index of" in db_index()
    assert "the index is dropped" in db_index("--drop")
    assert not index(fresh_database).exists
    assert "has no index" in db_index("--drop")


def test_an_interrupted_build_is_done_again(
    library: SyntheticLibrary, fresh_database: Database, few_are_many: None
) -> None:
    before = nearest(1)
    building = text("SELECT pid FROM pg_stat_progress_create_index WHERE phase LIKE 'waiting%'")
    with fresh_database.app.connect() as writer, ThreadPoolExecutor() as pool:
        # The build waits for transactions that have written to the table.
        writer.execute(text("LOCK TABLE mirpipe.embedding IN ROW EXCLUSIVE MODE"))
        build = pool.submit(build_search_index, index(fresh_database))
        with fresh_database.owner.connect() as owner:
            observer = owner.execution_options(isolation_level="AUTOCOMMIT")
            eventually(lambda: observer.execute(building).first() is not None)
            pid = observer.execute(building).scalar_one()
            observer.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        with pytest.raises(OperationalError):
            build.result()
    left = index(fresh_database)
    assert (left.exists, left.is_valid) == (True, False)
    assert nearest(1) == before
    assert "the index is built" in db_index()
    assert index(fresh_database).is_valid
    assert nearest(1) == before


def test_ctrl_c_stops_the_build_on_the_server(
    library: SyntheticLibrary, fresh_database: Database
) -> None:
    building = text("SELECT phase FROM pg_stat_progress_create_index")
    command = [sys.executable, "-m", "mirpipe.cli.main", "db", "index", "--encoder", "made_up"]
    with (
        fresh_database.app.connect() as writer,
        fresh_database.owner.connect() as owner,
        subprocess.Popen(command, preexec_fn=_take_ctrl_c) as process,
    ):
        # The build waits for transactions that have written to the table.
        writer.execute(text("LOCK TABLE mirpipe.embedding IN ROW EXCLUSIVE MODE"))
        observer = owner.execution_options(isolation_level="AUTOCOMMIT")
        eventually(lambda: "waiting" in (observer.execute(building).scalar() or ""))
        process.send_signal(signal.SIGINT)
        assert process.wait(30) != 0
        assert observer.execute(building).all() == []
    assert not index(fresh_database).is_valid


def _take_ctrl_c() -> None:
    """Restore the signal, which a process in the background of a shell ignores."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_an_index_that_another_process_has_built_is_not_built_again(
    library: SyntheticLibrary, fresh_database: Database
) -> None:
    seen_before = index(fresh_database)
    build_search_index(seen_before)
    oid = text("SELECT to_regclass(:name)::oid")
    name = {"name": f"mirpipe.embedding_{library.encoder_id}_hnsw"}
    with fresh_database.owner.connect() as owner:
        built = owner.execute(oid, name).scalar_one()
        build_search_index(seen_before)
        assert owner.execute(oid, name).scalar_one() == built


def test_an_index_is_built_only_where_it_is_useful_or_asked_for(
    library: SyntheticLibrary, fresh_database: Database
) -> None:
    assert f"not needed for {REFERENCES} references" in db_index()
    assert "the index is built" in db_index("--encoder", "made_up", "--memory", "64MB")
    result = CliRunner().invoke(app, ["db", "index", "--encoder", "unknown"])
    assert isinstance(result.exception, ConfigurationError)
    assert "Choose from: made_up" in str(result.exception)


def test_an_index_is_not_possible_for_long_vectors(fresh_database: Database) -> None:
    library = SyntheticLibrary(fresh_database.app, dimension=2001)
    library.add("reference", "r", np.ones(2001))
    assert "not possible with 2,001 dimensions" in db_index("--encoder", "made_up")
    with pytest.raises(ConfigurationError, match="compare all references"):
        build_search_index(index(fresh_database))


def test_doctor_recommends_the_missing_index(
    library: SyntheticLibrary, fresh_database: Database, few_are_many: None
) -> None:
    with fresh_database.reader.connect() as reader:
        (finding,) = database.search(reader)
        assert finding.level == "warning"
        assert f"{REFERENCES} references" in finding.message
        assert "mirpipe db index" in finding.remedy
    db_index()
    with fresh_database.reader.connect() as reader:
        assert [found.level for found in database.search(reader)] == ["ok"]
