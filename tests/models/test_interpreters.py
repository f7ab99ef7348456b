"""Tests for choosing a Python interpreter that has a plug-in's libraries."""

import sys
from pathlib import Path

import pytest

from mirpipe.errors import Unavailable
from mirpipe.models import interpreters
from mirpipe.settings import PROJECT, Settings, settings


def set_models_python(monkeypatch: pytest.MonkeyPatch, python: Path) -> None:
    """Configure `python` as the interpreter that has the model libraries."""
    monkeypatch.setenv("MIRPIPE_MODELS_PYTHON", str(python))
    settings.cache_clear()


def write_script(path: Path, script: str) -> Path:
    """Write an executable shell script and return its path."""
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_the_current_interpreter_is_chosen_if_it_has_the_libraries() -> None:
    assert interpreters.find_python(["json", "numpy"], plugin="tiny") == Path(sys.executable)


def test_the_models_interpreter_is_chosen_if_the_current_one_lacks_a_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = write_script(tmp_path / "python", "echo '[]'")
    set_models_python(monkeypatch, python)
    assert interpreters.find_python(["no_such_library"], plugin="tiny") == python


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (
            """echo '["no_such_library"]'""",
            "not installed: no_such_library.*mirpipe models install",
        ),
        ("exit 1", "cannot be run.*mirpipe models install"),
    ],
)
def test_the_error_names_the_missing_library_and_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, message: str
) -> None:
    set_models_python(monkeypatch, write_script(tmp_path / "python", script))
    with pytest.raises(Unavailable, match=message) as error:
        interpreters.find_python(["no_such_library"], plugin="tiny")
    assert error.value.reason == "library_missing"


def test_the_interpreter_that_make_models_created_is_the_default() -> None:
    python = PROJECT / ".venv-models" / "bin" / "python"
    assert Settings().models_python == (python if python.exists() else None)
