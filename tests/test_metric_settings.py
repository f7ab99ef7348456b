"""The names of metrics in the settings: unknown ones are refused before anything is computed."""

import pytest
from typer.testing import CliRunner

from mirpipe import registry
from mirpipe.cli.main import app
from mirpipe.errors import ConfigurationError
from mirpipe.metric_settings import known_metrics, require_known_metrics
from mirpipe.music.metrics.melody_offset import SPECS as OFFSET_SPECS
from mirpipe.operations.doctor import plugins
from mirpipe.settings import settings
from mirpipe.stages import evaluate
from tests.support.databases import Database


def choose(monkeypatch: pytest.MonkeyPatch, setting: str, metric: str) -> None:
    monkeypatch.setenv(f"MIRPIPE_PRIMARY_{setting}_METRIC", metric)
    settings.cache_clear()


@pytest.mark.parametrize(
    ("setting", "metric", "suggestion"),
    [
        ("RETRIEVAL", "alinged_melody", "Did you mean aligned_melody? "),
        ("RETRIEVAL", "melody-accuracy", "Did you mean melody_accuracy? "),
        ("RETRIEVAL", "clap_text_score", ""),
        ("RETRIEVAL", "xyz", ""),
        ("GENERATION", "z", ""),
        ("GENERATION", "cosine clap", ""),
        ("GENERATION", "cosine musicn", "Did you mean cosine musicnn? "),
        ("GENERATION", "aesthetics_pg", "Did you mean aesthetics_pq? "),
    ],
)
def test_an_unknown_primary_metric_is_refused_with_the_known_names(
    monkeypatch: pytest.MonkeyPatch, setting: str, metric: str, suggestion: str
) -> None:
    choose(monkeypatch, setting, metric)
    with pytest.raises(ConfigurationError) as caught:
        require_known_metrics()
    message = str(caught.value)
    assert message.startswith(f"MIRPIPE_PRIMARY_{setting}_METRIC: ")
    assert f"have no metric {metric!r}." in message
    assert suggestion in message
    assert "Use one of these: aesthetics_ce, " in message


@pytest.mark.parametrize(
    ("setting", "metric"),
    [
        ("RETRIEVAL", "z"),
        ("RETRIEVAL", "melody_accuracy_melodic"),
        ("RETRIEVAL", "clap_similarity"),
        ("RETRIEVAL", "aesthetics_pq"),
        ("GENERATION", "cosine signal"),
        ("GENERATION", "muq_mulan_text_score"),
        ("GENERATION", "melody_oti_corrected"),
    ],
)
def test_a_known_primary_metric_is_accepted(
    monkeypatch: pytest.MonkeyPatch, setting: str, metric: str
) -> None:
    choose(monkeypatch, setting, metric)
    require_known_metrics()


@pytest.mark.parametrize("margins", ["foo=0.1", "aligned_melody=0.02,genre_p_at_5=0.1"])
def test_a_margin_of_an_unknown_metric_is_refused(
    monkeypatch: pytest.MonkeyPatch, margins: str
) -> None:
    """A challenger would wait for a verdict that nothing can give."""
    monkeypatch.setenv("MIRPIPE_PROMOTION_MARGINS", margins)
    settings.cache_clear()
    with pytest.raises(ConfigurationError, match="MIRPIPE_PROMOTION_MARGINS: There is no metric"):
        require_known_metrics()
    (found,) = plugins.named_metrics()
    assert found.check == "MIRPIPE_PROMOTION_MARGINS"
    monkeypatch.delenv("MIRPIPE_PROMOTION_MARGINS")
    settings.cache_clear()
    result = CliRunner().invoke(app, ["compare", "signal", "--margin", margins.split(",")[-1]])
    assert result.exit_code == 2
    assert "Use one of these: aesthetics_ce, " in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    "metric", ["aligned_melody", "genre_p_at_10", "cosine signal", "aesthetics_pq"]
)
def test_a_margin_of_a_known_metric_is_accepted(
    monkeypatch: pytest.MonkeyPatch, metric: str
) -> None:
    monkeypatch.setenv("MIRPIPE_PROMOTION_MARGINS", f"{metric}=0.1")
    settings.cache_clear()
    require_known_metrics()


def test_the_default_imports_no_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry.Plugins, "_module", None)
    require_known_metrics()


def test_all_metrics_that_evaluate_computes_are_known(fresh_database: Database) -> None:
    names = set(evaluate.register().pairs)
    compared = {name for name in names if not name.endswith("_null95")}
    assert compared - {OFFSET_SPECS["offset"].name} <= set(known_metrics("retrieval"))


@pytest.mark.parametrize(
    "command",
    [
        ("ingest", "/", "--collection", "reference"),
        ("run",),
        ("report",),
        ("compare", "signal"),
        ("up", "--references", "/", "--targets", "/"),
    ],
)
def test_commands_stop_before_they_compute(
    monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    choose(monkeypatch, "RETRIEVAL", "alinged_melody")
    error = CliRunner().invoke(app, list(command)).exception
    assert "Did you mean aligned_melody?" in str(error)


def test_the_doctor_names_an_unknown_metric(monkeypatch: pytest.MonkeyPatch) -> None:
    choose(monkeypatch, "GENERATION", "alinged_melody")
    (found,) = plugins.named_metrics()
    assert (found.check, found.level) == ("MIRPIPE_PRIMARY_GENERATION_METRIC", "problem")
    assert "Did you mean aligned_melody?" in found.message
