"""`mirpipe models`: plug-ins of every kind, with what each has and what is missing."""

import json
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from typer.testing import CliRunner, Result

from mirpipe import registry
from mirpipe.cli import main
from mirpipe.settings import settings
from mirpipe.specs import CaptionerSpec, GeneratorSpec, Needs, TrackMetricSpec, WeightFile

FILE = WeightFile("somebody/model", "0123abc", "model.bin", megabytes=1, sha256=None)
IDENTITY = {
    "version": 1,
    "checkpoint": "model.bin",
    "checkpoint_sha256": "",
    "licence_code": "MIT",
    "licence_weights": "CC-BY-4.0",
    "citation": "nobody",
}
SPECS = {
    "mirpipe.track_metrics": TrackMetricSpec(
        **IDENTITY, name="pleasing", sample_rate=16_000, window_samples=160_000,
        axes=("pleasing_joy", "pleasing_craft"), low=1, high=10, unit="points",
    ),
    "mirpipe.captioners": CaptionerSpec(
        **IDENTITY, name="teller", sample_rate=16_000, window_samples=480_000, instruction="Tell.",
    ),
    "mirpipe.generators": GeneratorSpec(
        **IDENTITY, name="player", sample_rate=32_000, longest_seconds=30.0, has_guidance=True,
        sampling={},
    ),
}  # fmt: skip


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The empty folder of models; an outside plug-in of each kind but encoders is installed."""
    outside = {}
    for group, spec in SPECS.items():
        module = ModuleType(f"outside_{spec.name}")
        module.__dict__.update(SPEC=spec, NEEDS=Needs(("httpx",), weights=(FILE,)))
        monkeypatch.setitem(sys.modules, module.__name__, module)
        outside[group] = EntryPoint(spec.name, module.__name__, group)
    monkeypatch.setattr(
        registry, "entry_points", lambda *, group: [outside[group]] if group in outside else []
    )
    monkeypatch.setenv("MIRPIPE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MIRPIPE_MODELS_DIR", str(tmp_path / "models"))
    settings.cache_clear()
    return tmp_path / "models"


def mirpipe(*arguments: str) -> Result:
    return CliRunner().invoke(main.app, ["models", *arguments])


def test_every_kind_is_listed_with_what_it_has(models: Path) -> None:
    listed = {
        model["name"]: SimpleNamespace(**model) for model in json.loads(mirpipe("--json").stdout)
    }
    kinds = {name: listed[name].kind for name in ("signal", "pleasing", "teller", "player")}
    assert kinds == {
        "signal": "encoder",
        "pleasing": "metric",
        "teller": "captioner",
        "player": "generator",
    }
    has = {
        name: (listed[name].window_seconds, listed[name].longest_seconds, listed[name].dimension)
        for name in kinds
    }
    assert has == {
        "signal": (15, None, 178),
        "pleasing": (10, None, None),
        "teller": (30, None, None),
        "player": (None, 30, None),
    }
    assert listed["player"].weights == "missing"
    assert "`mirpipe models pull player`" in listed["player"].remedy


def test_the_table_shows_each_plug_in_in_one_row(models: Path) -> None:
    rows = mirpipe().stdout.splitlines()
    (player,) = [row for row in rows if row.split()[:2] == ["generator", "player"]]
    assert "model.bin" in player
    assert "up to 30 s at 32 kHz" in player
    (teller,) = [row for row in rows if row.split()[:2] == ["captioner", "teller"]]
    assert "model.bin" in teller
    assert " 30 s at 16 kHz" in teller


@pytest.mark.parametrize("name", [spec.name for spec in SPECS.values()])
def test_weights_of_any_kind_are_pulled(
    models: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(
        "mirpipe.models.weight_download.fetch", lambda file, **_: models / file.filename
    )
    pulled = mirpipe("pull", name)
    assert (pulled.exit_code, pulled.stdout.strip()) == (0, str(models / "model.bin"))


def test_what_has_no_weights_to_fetch_and_what_nobody_knows_is_refused(models: Path) -> None:
    assert "come with it" in str(mirpipe("pull", "signal").exception)
    unknown = str(mirpipe("pull", "nonesuch").exception)
    assert "nonesuch" in unknown
    assert "player" in unknown


def test_no_list_is_folded_at_80_columns_where_there_is_no_terminal(models: Path) -> None:
    said = CliRunner().invoke(main.app, ["encoders"]).stdout
    assert any(
        "c731f27298f24981" in line and "signal_demo.txt" in line for line in said.splitlines()
    )
