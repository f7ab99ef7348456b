"""Encoders with more dimensions than an HNSW index supports: embed, retrieve and search."""

import json
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from mirpipe import registry
from mirpipe.cli import main
from mirpipe.errors import PluginError
from mirpipe.specs import MAX_DIMENSION
from mirpipe.stages import embed as stage
from mirpipe.stages.retrieve import retrieve
from tests.support.audio_files import ingest_folder, tones
from tests.support.databases import Database

_BEST_MATCHES = """
    SELECT t.title, r.title FROM mirpipe.top_neighbour n
    JOIN mirpipe.track t ON t.track_id = n.target_id
    JOIN mirpipe.track r ON r.track_id = n.reference_id
    WHERE n.rank = 1 ORDER BY t.title
"""

SetDimension = Callable[[int], None]


@pytest.fixture
def set_dimension(_tiny_encoder: None, monkeypatch: pytest.MonkeyPatch) -> SetDimension:
    """Return a function that sets the dimension of the fake encoder `wide`."""
    module = import_module("mirpipe.plugins.encoders.wide")

    def set_dimension(dimension: int) -> None:
        monkeypatch.setattr(module, "SPEC", replace(module.SPEC, dimension=dimension))

    return set_dimension


@pytest.mark.parametrize("dimension", [2_048, 4_096, MAX_DIMENSION])
def test_long_vectors_are_embedded_retrieved_and_searched(
    fresh_database: Database, tmp_path: Path, set_dimension: SetDimension, dimension: int
) -> None:
    set_dimension(dimension)
    for collection, tone_frequencies in (("reference", [220, 330, 1200]), ("target", [225, 1190])):
        tones(tmp_path / collection, tone_frequencies)
        ingest_folder(tmp_path / collection, collection)
    assert stage.embed(["wide"], batch_tracks=2).embedded == 5
    retrieve()
    with fresh_database.reader.connect() as reader:
        stored = reader.scalar(text("SELECT vector_dims(embedding) FROM mirpipe.embedding LIMIT 1"))
        matches = [tuple(row) for row in reader.execute(text(_BEST_MATCHES))]
    assert stored == dimension
    assert matches == [("1190 Hz", "1200 Hz"), ("225 Hz", "220 Hz")]
    query = ["search", str(tmp_path / "target" / "225 Hz.wav"), "--encoder", "wide", "--json"]
    answers = json.loads(CliRunner().invoke(main.app, query).stdout)["answers"]
    assert [answer["title"] for answer in answers] == ["220 Hz", "330 Hz", "1200 Hz"]
    assert all(np.diff([answer["cosine"] for answer in answers]) < 0)


@pytest.mark.parametrize("dimension", [0, MAX_DIMENSION + 1])
def test_a_dimension_that_cannot_be_stored_is_refused_before_any_work(
    fresh_database: Database, tmp_path: Path, set_dimension: SetDimension, dimension: int
) -> None:
    set_dimension(dimension)
    tones(tmp_path, [220])
    ingest_folder(tmp_path, "reference")
    result = CliRunner().invoke(main.app, ["embed", "--encoder", "wide", "--encoder", "tiny"])
    assert result.exit_code == 1
    assert "embedded 1, rejected 0, failed 0" in result.stdout
    message = (
        f"The encoder wide has {dimension:,} dimensions, but mirpipe supports 1 to "
        f"{MAX_DIMENSION:,}."
    )
    with fresh_database.reader.connect() as reader:
        failures = reader.execute(text("SELECT subject, message FROM mirpipe.failure")).all()
        encoders = reader.execute(text("SELECT name FROM mirpipe.encoder")).scalars().all()
    assert [(subject, text[: len(message)]) for subject, text in failures] == [
        ("encoder:wide", message)
    ]
    assert encoders == ["tiny"]
    with pytest.raises(PluginError, match="reduces the dimension"):
        registry.ENCODERS.spec("wide")
    assert "wide" in CliRunner().invoke(main.app, ["encoders"]).stdout
