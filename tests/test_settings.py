"""Settings tests: how values are read, and the error message for an invalid value."""

from pathlib import Path

import pytest

from mirpipe import settings
from mirpipe.errors import ConfigurationError
from mirpipe.files.addresses import S3Address


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
        ("PROMOTION_MARGINS", "aligned_melody", "is not METRIC=MARGIN"),
        ("PROMOTION_MARGINS", "percentile=1", "the change of percentile cannot be tested"),
        ("PROMOTION", "not_worse", "needs margins in MIRPIPE_PROMOTION_MARGINS"),
    ],
)
def test_what_can_never_be_compared_is_refused(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, message: str
) -> None:
    monkeypatch.setenv(f"MIRPIPE_{variable}", value)
    settings.settings.cache_clear()
    with pytest.raises(ConfigurationError, match=f"MIRPIPE_{variable}: .*{message}"):
        settings.settings()


def test_margins_are_read_by_metric(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.settings().margins("encoder") == {"aligned_melody": 0}
    monkeypatch.setenv("MIRPIPE_PROMOTION_MARGINS", "aligned_melody=0.02, melody_accuracy=1e-3")
    settings.settings.cache_clear()
    assert settings.settings().margins("encoder") == {
        "aligned_melody": 0.02,
        "melody_accuracy": 0.001,
    }


def test_contrasts_are_read_with_guidance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRPIPE_GUIDANCE_SWEEP", "8")
    monkeypatch.setenv("MIRPIPE_MODE_CONTRASTS", "strong@5:medium@3, sweep@8:simple")
    settings.settings.cache_clear()
    assert settings.settings().mode_contrasts == ["strong@5:medium@3", "sweep@8:simple"]


def test_folders_can_be_paths_and_s3_addresses(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    library = S3Address("music", "library")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MIRPIPE_REFERENCES", "/a:s3://music/library/:relative:s3://other:/s3")
    monkeypatch.setenv("MIRPIPE_CLIPS_DIR", "s3://music/clips")
    chosen = settings.settings()
    expected = [Path("/a"), library, tmp_path / "relative", S3Address("other", ""), Path("/s3")]
    assert chosen.references == expected
    assert chosen.clips_folder == S3Address("music", "clips")
    for name, value in chosen.as_environment().items():
        monkeypatch.setenv(name, value)
    settings.settings.cache_clear()
    assert settings.settings() == chosen


def test_an_address_without_a_bucket_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRPIPE_TARGETS", "s3:///library")
    with pytest.raises(ConfigurationError, match=r"MIRPIPE_TARGETS.*s3://BUCKET/FOLDER"):
        settings.settings()


def test_an_empty_variable_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    default = settings.settings()
    names = [name for name, value in default if value is None or isinstance(value, Path)]
    assert {"object_cache_dir", "s3_connection", "clips_dir", "home"} <= {*names}
    for name in names:
        monkeypatch.setenv(f"MIRPIPE_{name.upper()}", "")
    settings.settings.cache_clear()
    chosen = settings.settings()
    assert chosen.home == settings._default_home()
    assert [name for name in names if getattr(chosen, name) == Path.cwd()] == []
    assert [name for name in names if getattr(chosen, name) == ""] == []
    assert chosen.s3_connection is None


def test_an_empty_captioner_and_generator_mean_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRPIPE_CAPTIONER", "")
    monkeypatch.setenv("MIRPIPE_GENERATORS", "")
    settings.settings.cache_clear()
    assert (settings.settings().captioner, settings.settings().generators) == ("", [])
