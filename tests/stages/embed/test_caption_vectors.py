"""Captions are embedded once per text score, with its encoder, and compared with clips."""

import json
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from mirpipe import registry
from mirpipe.cli.main import app
from mirpipe.errors import Unavailable
from mirpipe.models import device_lease, interpreters
from mirpipe.plugins.encoders import clap
from mirpipe.registry import Plugins
from mirpipe.settings import settings
from mirpipe.stages import evaluate
from mirpipe.stages.embed import EmbedResult, embed_captions, plan_captions
from tests.dashboard.example_clips import Maker, describe, make
from tests.stages.synthetic_matches import SyntheticMatches
from tests.support.databases import Database
from tests.support.fake_gpu import ON_GPU, add_gpu


class FakeTextTower:
    """A fake text tower. A text's vector is the number of words, 4 and 0."""

    def __init__(self) -> None:
        self.received: list[str] = []

    def embed_text(self, texts: Sequence[str]) -> np.ndarray:
        self.received += texts
        return np.array([[len(text.split()), 4, 0] for text in texts], dtype=np.float32)


@pytest.fixture
def library(fresh_database: Database, monkeypatch: pytest.MonkeyPatch) -> SyntheticMatches:
    """A target with a caption. The configured CLAP encoder has three dimensions."""
    monkeypatch.setenv("MIRPIPE_ENCODERS", "clap")
    settings.cache_clear()
    library = SyntheticMatches(fresh_database, name="clap")
    library.add_with_melody("target", "t", [0, 1])
    with fresh_database.owner.begin() as connection:
        describe(connection, caption="slow sad strings")
    return library


@pytest.fixture
def tower(library: SyntheticMatches, monkeypatch: pytest.MonkeyPatch) -> FakeTextTower:
    """A fake text tower that replaces the model. The model's weights count as installed."""
    model = FakeTextTower()
    monkeypatch.setattr(Plugins, "interpreter", lambda *_: Path())
    monkeypatch.setattr(Plugins, "spec", lambda *_: replace(clap.SPEC, dimension=3))
    monkeypatch.setattr(Plugins, "require_text", lambda *_: None)
    monkeypatch.setattr(Plugins, "load", lambda *_: model)
    monkeypatch.setattr(registry, "revision", lambda _: "r1")
    return model


def test_the_gpu_is_reserved_before_the_text_tower_is_loaded(
    library: SyntheticMatches, tower: FakeTextTower, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_gpu(monkeypatch)
    is_waiting, results = threading.Event(), list[EmbedResult]()

    def run() -> None:
        results.append(embed_captions("clap", on_wait=lambda _device: is_waiting.set()))

    with device_lease.hold_gpu([ON_GPU]):
        threads = [threading.Thread(target=run) for _ in range(2)]
        for thread in threads:
            thread.start()
        assert is_waiting.wait(30)
        assert tower.received == []
    for thread in threads:
        thread.join(30)
    assert sorted(result.embedded for result in results) == [0, 1]
    assert tower.received == ["slow sad strings"]


def test_each_caption_is_embedded_once(library: SyntheticMatches, tower: FakeTextTower) -> None:
    assert plan_captions() == ["clap"]

    assert embed_captions("clap") == EmbedResult(embedded=1)

    assert tower.received == ["slow sad strings"]
    assert library.rows("SELECT embedding::text FROM mirpipe.caption_embedding") == [
        ("[0.6,0.8,0]",)
    ]
    assert embed_captions("clap") == EmbedResult()
    assert plan_captions() == []


def test_each_text_score_compares_vectors_of_its_own_encoder(
    library: SyntheticMatches,
    tower: FakeTextTower,
    fresh_database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MIRPIPE_ENCODERS", "clap,muq_mulan")
    settings.cache_clear()
    SyntheticMatches(fresh_database, name="muq_mulan")
    scores = "SELECT name, spec ->> 'encoder' FROM mirpipe.metric WHERE wanted"
    scores += " AND spec ->> 'compares' = 'caption' ORDER BY name"
    assert library.rows(scores) == [
        ("clap_text_score", "clap"),
        ("muq_mulan_text_score", "muq_mulan"),
    ]

    assert plan_captions() == ["clap", "muq_mulan"]
    assert embed_captions("muq_mulan") == EmbedResult(embedded=1)
    assert plan_captions() == ["clap"]
    stored = "SELECT name FROM mirpipe.caption_embedding JOIN mirpipe.encoder USING (encoder_id)"
    assert library.rows(stored) == [("muq_mulan",)]


def test_the_command_embeds_captions_with_the_named_encoder_or_with_all(
    library: SyntheticMatches,
    tower: FakeTextTower,
    fresh_database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Plugins, "interpreter", lambda *_: interpreters.CURRENT_PYTHON)
    monkeypatch.setenv("MIRPIPE_ENCODERS", "clap,muq_mulan")
    settings.cache_clear()
    SyntheticMatches(fresh_database, name="muq_mulan")
    command = ["embed", "--captions", "--json"]
    for arguments, number in (
        (["--encoder", "muq_mulan"], 1),
        (["--encoder", "muq_mulan"], 0),
        ([], 1),
    ):
        result = CliRunner().invoke(app, [*command, *arguments])
        assert json.loads(result.stdout) == {"embedded": number, "rejected": 0, "failed": 0}
    assert plan_captions() == []


def test_text_scores_are_cosines_of_caption_and_clip(
    library: SyntheticMatches, tower: FakeTextTower, fresh_database: Database, tmp_path: Path
) -> None:
    sound = tmp_path / "a.wav"
    sound.write_bytes(b"a clip")
    library.execute(
        "INSERT INTO mirpipe.run (trigger, state_digest, library) VALUES ('', '', '{}')"
    )
    with fresh_database.owner.begin() as connection:
        make(connection, [Maker("m", seeds=1)], tmp_path, sound)
    score = "SELECT value, reason FROM mirpipe.v_generation_score WHERE metric = 'clap_text_score'"
    assert {row[1] for row in library.rows(score)} == {"not_measured"}

    embed_captions("clap")
    library.execute("DELETE FROM mirpipe.embedding")
    ((clip,), *_) = library.rows("SELECT DISTINCT track_id FROM mirpipe.generation")
    library.set_vector(clip, [1, 0, 0])

    values = [value for value, _ in library.rows(score) if value is not None]
    assert values == pytest.approx([0.6] * len(values), abs=1e-6)
    assert values


def test_missing_weights_are_recorded_and_the_record_is_deleted_when_they_exist(
    library: SyntheticMatches, tower: FakeTextTower, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raise_unavailable(*_: object) -> None:
        raise Unavailable("weights_missing", "no vocab.json", remedy="`mirpipe models pull clap`")

    with monkeypatch.context() as patch:
        patch.setattr(Plugins, "require_text", raise_unavailable)
        assert plan_captions() == []
    ledger = "SELECT stage, subject, reason FROM mirpipe.failure"
    assert library.rows(ledger) == [("embed captions", "encoder:clap", "weights_missing")]

    assert plan_captions() == ["clap"]
    assert library.rows(ledger) == []


def test_captions_that_failed_are_embedded_by_the_next_run(
    library: SyntheticMatches, tower: FakeTextTower, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(FakeTextTower, "embed_text", lambda *_: np.full((1, 3), np.nan))
        assert embed_captions("clap") == EmbedResult(failed=1)
    assert library.rows("SELECT reason FROM mirpipe.failure") == [("PluginError",)]
    assert embed_captions("clap") == EmbedResult(embedded=1)


def test_without_an_encoder_for_text_scores_no_caption_is_pending(
    library: SyntheticMatches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_ENCODERS", "signal")
    settings.cache_clear()
    evaluate.register()
    assert plan_captions() == []
    assert embed_captions("clap") == EmbedResult()
