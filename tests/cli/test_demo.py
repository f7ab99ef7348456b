"""`mirpipe demo` uses its own home and database, whatever the user has configured."""

from pathlib import Path

import pytest

from mirpipe import registry
from mirpipe.cli import demo
from mirpipe.settings import PROJECT, Settings, settings


def test_the_demo_uses_neither_the_home_nor_the_databases_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Settings] = []
    monkeypatch.setattr(demo, "start", lambda chosen, **_: started.append(chosen))
    monkeypatch.setenv("MIRPIPE_HOME", str(tmp_path / "mine"))
    for name in ("DATABASE", "OWNER", "READER", "AIRFLOW_DATABASE"):
        monkeypatch.setenv(f"MIRPIPE_{name}_URL", "postgresql://localhost/mine")
    settings.cache_clear()
    demo.demo(once=True)
    (chosen,) = started
    assert chosen.home == PROJECT / "var" / "demo"
    assert chosen.references == [PROJECT / "demo" / "reference"]
    assert [chosen.database_url, chosen.owner_url, chosen.reader_url] == [None, None, None]
    assert chosen.airflow_database_url is None


def test_another_home_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Settings] = []
    monkeypatch.setattr(demo, "start", lambda chosen, **_: started.append(chosen))
    monkeypatch.setenv("MIRPIPE_HOME", str(tmp_path / "mine"))
    demo.demo(home=tmp_path / "chosen", once=True)
    assert started[0].home == tmp_path / "chosen"


def test_a_sweep_adds_a_generator_with_guidance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Settings] = []
    monkeypatch.setattr(demo, "start", lambda chosen, **_: started.append(chosen))
    for name in ("HOME", "GENERATORS", "GUIDANCE_SWEEP"):  # The test restores these variables.
        monkeypatch.setenv(f"MIRPIPE_{name}", "")
        monkeypatch.delenv(f"MIRPIPE_{name}")
    demo.demo(home=tmp_path / "chosen", once=True)
    demo.demo(home=tmp_path / "chosen", once=True, sweep=True)
    without, swept = started
    assert (without.generators, without.guidance_sweep) == (["resynth"], [])
    assert swept.generators == ["resynth", "resynth_guided"]
    assert swept.guidance_sweep == [1.0, 2.0, 8.0]
    assert settings().guidance_sweep == [1.0, 2.0, 8.0], "the check for pending work reads this"
    assert registry.GENERATORS.spec(swept.generators[-1]).has_guidance
