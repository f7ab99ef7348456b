"""Tests for `mirpipe models`, which lists plug-ins of every kind and downloads their weights."""

import json
import re
import sys
from datetime import UTC, datetime
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
    "citation": "none",
}
SPECS = {
    "mirpipe.track_metrics": TrackMetricSpec(
        **IDENTITY, name="pleasantness", sample_rate=16_000, window_samples=160_000,
        axes=("pleasantness_joy", "pleasantness_craft"), low=1, high=10, unit="points",
    ),
    "mirpipe.captioners": CaptionerSpec(
        **IDENTITY, name="describer", sample_rate=16_000, window_samples=480_000,
        instruction="Describe.",
    ),
    "mirpipe.generators": GeneratorSpec(
        **IDENTITY, name="player", sample_rate=32_000, longest_seconds=30.0, has_guidance=True,
        sampling={},
    ),
}  # fmt: skip


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install one plug-in of each kind except encoders, and return the empty weights folder."""
    entry_points = {}
    for group, spec in SPECS.items():
        module = ModuleType(f"other_package_{spec.name}")
        module.__dict__.update(SPEC=spec, NEEDS=Needs(("httpx",), weights=(FILE,)))
        monkeypatch.setitem(sys.modules, module.__name__, module)
        entry_points[group] = EntryPoint(spec.name, module.__name__, group)
    monkeypatch.setattr(
        registry,
        "entry_points",
        lambda *, group: [entry_points[group]] if group in entry_points else [],
    )
    monkeypatch.setenv("MIRPIPE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MIRPIPE_MODELS_DIR", str(tmp_path / "models"))
    settings.cache_clear()
    return tmp_path / "models"


def mirpipe(*arguments: str) -> Result:
    return CliRunner().invoke(main.app, ["models", *arguments])


def test_every_kind_is_listed_with_its_properties(models: Path) -> None:
    listed = {
        model["name"]: SimpleNamespace(**model) for model in json.loads(mirpipe("--json").stdout)
    }
    kinds = {name: listed[name].kind for name in ("signal", "pleasantness", "describer", "player")}
    assert kinds == {
        "signal": "encoder",
        "pleasantness": "metric",
        "describer": "captioner",
        "player": "generator",
    }
    properties = {
        name: (listed[name].window_seconds, listed[name].longest_seconds, listed[name].dimension)
        for name in kinds
    }
    assert properties == {
        "signal": (15, None, 178),
        "pleasantness": (10, None, None),
        "describer": (30, None, None),
        "player": (None, 30, None),
    }
    assert listed["player"].weights == "missing"
    assert "`mirpipe models pull player`" in listed["player"].remedy


def test_a_remedy_names_its_model_once_and_large_sizes_in_gigabytes(models: Path) -> None:
    # A remedy may take several lines. The next one begins with the name of its model.
    remedies = re.split(r"\n(?=\w+: )", mirpipe().stdout)
    (clap,) = [" ".join(each.split()) for each in remedies if each.startswith("clap: ")]
    assert not clap.startswith("clap: clap")
    assert "(2.4 GB) is missing: run `mirpipe models pull clap`" in clap
    assert "with them" not in clap


def test_the_table_shows_each_plug_in_in_one_row(models: Path) -> None:
    rows = mirpipe().stdout.splitlines()
    (player,) = [row for row in rows if row.split()[:2] == ["generator", "player"]]
    assert "model.bin" in player
    assert "up to 30 s at 32 kHz" in player
    (describer,) = [row for row in rows if row.split()[:2] == ["captioner", "describer"]]
    assert "model.bin" in describer
    assert " 30 s at 16 kHz" in describer


@pytest.mark.parametrize("name", [spec.name for spec in SPECS.values()])
def test_pull_downloads_the_weights_of_every_kind(
    models: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(
        "mirpipe.models.weight_download.fetch", lambda file, **_: models / file.filename
    )
    pulled = mirpipe("pull", name)
    assert (pulled.exit_code, pulled.stdout.strip()) == (0, str(models / "model.bin"))


@pytest.fixture
def hand_copied(models: Path) -> Path:
    """Return a weight file without a published SHA-256 that the user copied to this machine."""
    path = models / FILE.repository / FILE.filename
    path.parent.mkdir(parents=True)
    path.write_bytes(b"weights")
    return path


def state_of(name: str) -> tuple[str, str | None]:
    """Return the state of a plug-in's weights, and the date on which they were trusted."""
    listed = {model["name"]: model for model in json.loads(mirpipe("--json").stdout)}
    return listed[name]["weights"], listed[name]["trusted_on"]


def test_without_a_terminal_pull_needs_an_option_to_trust_a_first_copy(hand_copied: Path) -> None:
    refused = mirpipe("pull", "player")
    assert refused.exit_code == 1
    assert "--trust-first-copy" in str(refused.exception)
    assert state_of("player") == ("unconfirmed", None)
    accepted = mirpipe("pull", "player", "--trust-first-copy")
    assert (accepted.exit_code, accepted.stdout.strip()) == (0, str(hand_copied))
    today = datetime.now(UTC).date().isoformat()
    assert state_of("player") == ("present", today)
    assert f"player: you trusted these weights on first use on {today}." in mirpipe().stdout


@pytest.mark.parametrize(("answer", "state"), [("y", "present"), ("n", "unconfirmed")])
def test_in_a_terminal_pull_asks_once_whether_to_trust_a_first_copy(
    hand_copied: Path, monkeypatch: pytest.MonkeyPatch, answer: str, state: str
) -> None:
    monkeypatch.setattr("mirpipe.cli.models._is_interactive", lambda: True)
    asked = CliRunner().invoke(main.app, ["models", "pull", "player"], input=f"{answer}\n")
    assert "somebody/model/model.bin" in asked.stderr
    assert "Do you trust the first copy?" in asked.stderr
    assert asked.exit_code == (answer == "n")
    assert state_of("player")[0] == state
    if answer == "y":
        assert mirpipe("pull", "player").exit_code == 0


def test_a_changed_copy_is_listed_as_refused_with_a_remedy(hand_copied: Path) -> None:
    mirpipe("pull", "player", "--trust-first-copy")
    hand_copied.write_bytes(b"other weights")
    assert state_of("player")[0] == "refused"
    assert "delete the file and download it again" in mirpipe().stdout


def test_pull_refuses_plug_ins_without_weights_and_unknown_names(models: Path) -> None:
    assert "no weights to download" in str(mirpipe("pull", "signal").exception)
    unknown = str(mirpipe("pull", "nonesuch").exception)
    assert "nonesuch" in unknown
    assert "player" in unknown


def test_tables_are_wider_than_80_columns_without_a_terminal(models: Path) -> None:
    output = CliRunner().invoke(main.app, ["encoders"]).stdout
    revision = registry.revision(registry.ENCODERS.spec("signal"))
    assert any(revision in line and "signal_demo.txt" in line for line in output.splitlines())
