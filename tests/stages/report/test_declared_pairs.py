"""Declared pairs: the defaults, and the contrasts that the settings name."""

from dataclasses import replace

import pytest

from mirpipe.db.store.metric_series import Source
from mirpipe.settings import settings
from mirpipe.stages.report.declared_pairs import declared_pairs

ENCODERS = [
    Source(encoder_id=n, sort_key=(name,)) for n, name in enumerate(["clap", "muq", "signal"])
]
MODES = [
    Source(generator_id=1, mode=mode, guidance=guidance, sort_key=(conditioned, guidance, mode))
    for mode, conditioned, guidance in (
        *(("strong", True, 5.0), ("simple", False, 3.0)),
        *(("medium", True, 3.0), ("sweep", True, 8.0)),
    )
]


def names(pairs: set[frozenset[Source]]) -> set[frozenset[str]]:
    return {frozenset(str(each.mode or each.sort_key[0]) for each in pair) for pair in pairs}


def pairs_of(*pairs: str) -> set[frozenset[str]]:
    return {frozenset(pair.split(":")) for pair in pairs}


def configure(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"MIRPIPE_{name}", value)
    settings.cache_clear()


def test_by_default_every_encoder_is_compared_with_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    configure(monkeypatch, ENCODERS="muq,clap,signal")
    assert names(declared_pairs(ENCODERS)) == pairs_of("muq:clap", "muq:signal")
    # Another encoder does not take the place of a first one without results.
    configure(monkeypatch, ENCODERS="absent,muq,clap,signal")
    assert declared_pairs(ENCODERS) == set()


def test_by_default_neighbouring_modes_are_compared_without_the_sweep() -> None:
    assert names(declared_pairs(MODES)) == pairs_of("simple:medium", "medium:strong")


def test_a_generator_without_guidance_is_compared_by_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, MODE_CONTRASTS="simple:strong@5")
    modes = [replace(mode, guidance=None) for mode in MODES]
    assert names(declared_pairs(modes)) == pairs_of("simple:strong")


def test_the_settings_replace_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    configure(
        monkeypatch,
        ENCODERS="clap,muq,signal,absent",
        ENCODER_CONTRASTS="signal:muq",
        GUIDANCE_SWEEP="2",
        MODE_CONTRASTS="simple:strong@5,sweep@2:simple",
    )
    assert names(declared_pairs(ENCODERS)) == pairs_of("signal:muq")
    assert names(declared_pairs(MODES)) == pairs_of("simple:strong")
    # A declared contrast that has no results yet does not bring the defaults back.
    assert declared_pairs(ENCODERS[:2]) == set()


def test_a_single_source_has_no_pair() -> None:
    assert declared_pairs(ENCODERS[:1]) == declared_pairs(MODES[:1]) == set()
