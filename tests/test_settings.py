"""Settings tests: the error message for an invalid value."""

import pytest

from mirpipe import settings
from mirpipe.errors import ConfigurationError


def test_invalid_value_is_named_with_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRPIPE_SEEDS", "0")
    settings.settings.cache_clear()
    with pytest.raises(ConfigurationError, match=r"Invalid setting: MIRPIPE_SEEDS: .*Correct"):
        settings.settings()


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("ENCODER_CONTRASTS", "signal", "two different names"),
        ("ENCODER_CONTRASTS", "signal:signal", "two different names"),
        ("ENCODER_CONTRASTS", "signal:clap", "'clap' in 'signal:clap' is none of: musicnn, signal"),
        ("ENCODER_CONTRASTS", "signal@3:musicnn", "'signal@3' in .* is none of"),
        ("MODE_CONTRASTS", "loud:simple", "'loud' in 'loud:simple' is none of: medium, medium@3"),
        ("MODE_CONTRASTS", "strong@3:medium", "'strong@3' in 'strong@3:medium' is none of"),
        ("MODE_CONTRASTS", "sweep@1:medium", "'sweep@1' in 'sweep@1:medium' is none of"),
        ("PRIMARY_RETRIEVAL_METRIC", "cosine", "'cosine' is never compared"),
        ("PRIMARY_RETRIEVAL_METRIC", "melody_offset", "'melody_offset' is never compared"),
    ],
)
def test_what_can_never_be_compared_is_refused(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, message: str
) -> None:
    monkeypatch.setenv(f"MIRPIPE_{variable}", value)
    settings.settings.cache_clear()
    with pytest.raises(ConfigurationError, match=f"MIRPIPE_{variable}: .*{message}"):
        settings.settings()


def test_contrasts_are_read_with_guidance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRPIPE_GUIDANCE_SWEEP", "8")
    monkeypatch.setenv("MIRPIPE_MODE_CONTRASTS", "strong@5:medium@3, sweep@8:simple")
    settings.settings.cache_clear()
    assert settings.settings().mode_contrasts == ["strong@5:medium@3", "sweep@8:simple"]
