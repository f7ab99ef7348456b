"""Tests for `mirpipe models check`, which compares models with their libraries."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from mirpipe.cli import main, models_check
from mirpipe.errors import MirpipeError, OutOfMemory, StageFailed, Unavailable
from mirpipe.operations.model_check.check import ModelCheck
from mirpipe.operations.model_check.check import check as check_model
from mirpipe.operations.model_check.musical_facts import Fact
from mirpipe.settings import PROJECT, settings
from tests.support.random_weights import folder_of_weights


def mirpipe(*arguments: str) -> Result:
    return CliRunner().invoke(main.app, ["models", "check", *arguments])


def result(*, agrees: bool = True, is_deterministic: bool = True, holds: bool = True) -> ModelCheck:
    return ModelCheck(
        name="clap",
        is_random=False,
        cosine=0.99998,
        text_cosine=0.99997,
        difference=None,
        other_captions=None,
        agrees=agrees,
        is_deterministic=is_deterministic,
        seconds=1.25,
        library_seconds=2.5,
        peak_megabytes=1500,
        library_peak_megabytes=2500,
        facts=[Fact("a drum loop is nearer to a drum loop", holds)],
    )


@pytest.mark.parametrize(
    ("checked", "exit_code"),
    [
        (result(), 0),
        (result(holds=False), 0),
        (result(agrees=False), 1),
        (result(is_deterministic=False), 1),
    ],
)
def test_the_exit_code_speaks_of_agreement_and_determinism_alone(
    checked: ModelCheck, exit_code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mirpipe.operations.model_check.check.check", lambda _name, _demo: checked)
    ended = mirpipe("clap", "--json")
    assert ended.exit_code == exit_code
    [printed] = json.loads(ended.stdout)
    assert printed["passed"] is (exit_code == 0)
    assert printed["facts"][0]["holds"] is checked.facts[0].holds
    table = mirpipe("clap").stdout
    assert "cosine 0.99998, of texts 0.99997" in table
    word = "yes" if checked.facts[0].holds else "no"
    assert f"clap: {word}: a drum loop is nearer to a drum loop" in table


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize(
    "error",
    [
        Unavailable("weights_missing", "No weights", remedy="download them"),
        StageFailed("The check of mert ended."),
        OutOfMemory("No memory is left."),
    ],
)
def test_a_model_that_cannot_run_does_not_hide_the_results_of_others(
    error: MirpipeError, *, as_json: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(name: str, _demo: Path) -> ModelCheck:
        if name == "mert":
            raise error
        return replace(result(), name=name)

    monkeypatch.setattr("mirpipe.operations.model_check.check.check", check)
    ended = mirpipe("clap", "mert", "muq", *(["--json"] if as_json else []))
    assert ended.exit_code == 1
    assert f"mert could not be checked: {error}" in ended.stderr
    if as_json:
        printed = {
            each["name"]: (each["passed"], each["error"]) for each in json.loads(ended.stdout)
        }
        assert printed == {"clap": (True, None), "mert": (False, str(error)), "muq": (True, None)}
    else:
        assert "clap: yes:" in ended.stdout
        assert "muq: yes:" in ended.stdout


def test_results_are_printed_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    def check(name: str, _demo: Path) -> ModelCheck:
        if name == "mert":
            raise KeyboardInterrupt
        return result()

    monkeypatch.setattr("mirpipe.operations.model_check.check.check", check)
    assert "clap: yes:" in mirpipe("clap", "mert").stdout


@pytest.mark.parametrize(
    ("name", "message"),
    [("nonesuch", "There is no model 'nonesuch'"), ("signal", "signal cannot be checked")],
)
def test_a_wrong_name_is_refused_before_a_model_is_checked(name: str, message: str) -> None:
    refused = mirpipe("clap", name)
    assert refused.exit_code == 2
    assert message in refused.stderr
    assert "checking clap" not in refused.stderr


def test_a_deleted_interpreter_is_named_with_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deleted = tmp_path / "deleted" / "python"
    monkeypatch.setattr("mirpipe.registry.Plugins.interpreter", lambda _kind, _name: deleted)
    with pytest.raises(Unavailable) as raised:
        check_model("clap", tmp_path)
    assert f"The interpreter {deleted} cannot be run" in raised.value.problem
    assert "mirpipe models install" in raised.value.remedy


def test_without_weights_the_error_names_the_command_that_lists_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_MODELS_DIR", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    with pytest.raises(Unavailable) as raised:
        models_check._checkable([])
    assert str(raised.value) == (
        "No model can be checked, because weights or libraries are missing: run `mirpipe models`, "
        "which says what is missing"
    )


@pytest.fixture
def _random_models(models_python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRPIPE_HOME", str(tmp_path))
    monkeypatch.setenv("MIRPIPE_MODELS_PYTHON", str(models_python))
    monkeypatch.setenv("MIRPIPE_STAND_INS", str(folder_of_weights()))
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    settings.cache_clear()


def checked_model(name: str) -> dict[str, Any]:
    """Return the printed check of a model with random weights, after what all models share."""
    ended = mirpipe(name, "--json")
    assert ended.exit_code == 0, ended.output
    printed: dict[str, Any] = json.loads(ended.stdout)[0]
    assert printed["is_random"]
    assert printed["is_deterministic"]
    assert min(printed["seconds"], printed["peak_megabytes"]) > 0
    return printed


@pytest.mark.slow
@pytest.mark.usefixtures("_random_models")
def test_random_weights_agree_with_the_library_and_are_marked() -> None:
    printed = checked_model("muq_mulan")
    assert printed["cosine"] > 0.99999
    assert printed["text_cosine"] > 0.99999
    assert len(printed["facts"]) == 2


@pytest.mark.slow
@pytest.mark.usefixtures("_random_models")
def test_the_texts_of_clap_are_compared_too() -> None:
    printed = checked_model("clap_630k")
    assert min(printed["cosine"], printed["text_cosine"]) > 0.99999


@pytest.mark.slow
@pytest.mark.usefixtures("_random_models")
def test_a_generator_makes_the_clips_of_its_library() -> None:
    printed = checked_model("musicgen_melody")
    assert printed["cosine"] > 0.99999
    [fact] = printed["facts"]
    assert "the melody of a piano gives another clip than that of a flute" in fact["statement"]
