"""Broken and usable files in one folder, processed with the commands that a user runs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import hostile_files
from tests.support.databases import Database

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("fresh_database")]


def mirpipe(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mirpipe.cli.main", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


def test_usable_files_get_results_and_every_broken_file_has_a_reason(
    fresh_database: Database, tmp_path: Path
) -> None:
    references, targets = tmp_path / "references", tmp_path / "targets"
    references.mkdir()
    targets.mkdir()
    broken = hostile_files.write_broken(references)
    good = hostile_files.write_good(references)
    target = hostile_files.write_good(targets)
    assert len(broken) >= 50
    assert len(good) >= 10

    first_run = mirpipe("ingest", references, "--collection", "reference", "--json")
    assert first_run.returncode == 3, first_run.stderr
    assert json.loads(first_run.stdout)["rejected"] == len(broken)
    assert mirpipe("ingest", targets, "--collection", "target").returncode == 0
    run = mirpipe("run")
    assert run.returncode == 0, run.stderr

    ledger = json.loads(mirpipe("failures", "--json").stdout)
    assert len(ledger) == len(broken)
    assert {row["stage"] for row in ledger} == {"ingest"}
    assert not any(row["retry"] for row in ledger)
    assert sorted(row["reason"] for row in ledger) == sorted(broken.values())
    with fresh_database.reader.connect() as connection:
        matches = connection.exec_driver_sql(
            "SELECT encoder, count(DISTINCT target_id) FROM mirpipe.v_retrieval "
            "GROUP BY encoder ORDER BY encoder"
        )
        assert [tuple(row) for row in matches] == [
            ("musicnn", len(target)),
            ("signal", len(target)),
        ]
        vectors = connection.exec_driver_sql(
            "SELECT count(*) FROM mirpipe.embedding GROUP BY encoder_id"
        )
        assert list(vectors.scalars()) == [len(good) + len(target)] * 2

    second_run = mirpipe("ingest", references, "--collection", "reference", "--json")
    assert second_run.returncode == 3
    counts = json.loads(second_run.stdout)
    assert counts["added"] == counts["moved"] == counts["gone"] == 0
    repeated = mirpipe("run")
    assert "nothing changed since run 1" in repeated.stdout
