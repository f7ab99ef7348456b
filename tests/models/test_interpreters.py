"""Which interpreter is chosen for a model's libraries."""

import sys
from pathlib import Path

import pytest

from mirpipe.errors import Unavailable
from mirpipe.models import interpreters
from mirpipe.settings import PROJECT, Settings, settings


def choose(monkeypatch: pytest.MonkeyPatch, python: Path) -> None:
    monkeypatch.setenv("MIRPIPE_MODELS_PYTHON", str(python))
    settings.cache_clear()


def make(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_what_is_here_runs_here() -> None:
    assert interpreters.python_with(["json", "numpy"]) == Path(sys.executable)


def test_what_is_not_here_runs_where_the_models_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = make(tmp_path / "python", "echo '[]'")
    choose(monkeypatch, python)
    assert interpreters.python_with(["no_such_library"]) == python


@pytest.mark.parametrize("script", ["""echo '["no_such_library"]'""", "exit 1"])
def test_what_is_nowhere_is_named_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    choose(monkeypatch, make(tmp_path / "python", script))
    with pytest.raises(Unavailable, match=r"no_such_library.*make models|cannot be run") as error:
        interpreters.python_with(["no_such_library"])
    assert error.value.reason == "library_missing"


def test_the_interpreter_that_make_models_made_is_the_default() -> None:
    made = PROJECT / ".venv-models" / "bin" / "python"
    assert Settings().models_python == (made if made.exists() else None)
