"""Tests for the LAION-CLAP adapter: repeatable vectors, and no code from a checkpoint."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from transformers import RobertaTokenizer

from mirpipe import registry
from mirpipe.errors import PluginError
from mirpipe.models.adapters import laion_clap
from mirpipe.plugins.encoders import clap, clap_630k
from mirpipe.records import AudioSegment, Float32
from mirpipe.settings import settings
from mirpipe.specs import Runtime
from mirpipe.stages import embed as stage
from tests.support.synthetic_music import melody

NAME, RATE = "clap_630k", 48_000


@cache
def plugin() -> Any:
    """Return the plug-in, which is loaded once per process."""
    return registry.ENCODERS.load(NAME)


@pytest.fixture
def encoder(random_weights: Path) -> Any:
    return plugin()


@pytest.fixture
def checkpoint(random_weights: Path) -> Path:
    return random_weights / clap_630k.CHECKPOINT.repository / clap_630k.CHECKPOINT.filename


@pytest.fixture
def tokenizer(random_weights: Path) -> list[Path]:
    return [random_weights / file.repository / file.filename for file in clap.TOKENIZER]


@pytest.fixture
def long_file(tmp_path: Path) -> Path:
    """Return a 30 s file that grows louder, so that crops from different positions differ."""
    samples = melody(30, RATE) * np.linspace(0.02, 1, 30 * RATE, dtype=np.float32)
    soundfile.write(tmp_path / "long.wav", samples, RATE)
    return tmp_path / "long.wav"


def load(checkpoint: Path, *tokenizer: Path, dtype: str = "float32") -> laion_clap.Clap:
    runtime = Runtime({}, dtype, "cpu")
    return laion_clap.Clap(
        runtime, checkpoint, architecture="HTSAT-tiny", tokenizer=list(tokenizer)
    )


def segment(seconds: float) -> AudioSegment:
    return AudioSegment(melody(seconds, RATE), RATE)


def cosine(row: Float32, other_row: Float32) -> float:
    return float(row @ other_row / (np.linalg.norm(row) * np.linalg.norm(other_row)))


def test_a_file_that_the_library_crops_at_random_always_has_the_same_vector(
    encoder: Any, long_file: Path, checkpoint: Path
) -> None:
    library = laion_clap.load(checkpoint, architecture="HTSAT-tiny", device="cpu")
    samples, _ = soundfile.read(long_file, dtype="float32")
    np.random.seed(0)
    with torch.inference_mode():
        first, second = (library.get_audio_embedding_from_data(samples[None]) for _ in range(2))
    assert not np.array_equal(first, second)

    np.random.seed(0)
    vector = stage.embed_file(NAME, long_file)
    np.random.seed(1)
    assert np.array_equal(stage.embed_file(NAME, long_file), vector)


@pytest.mark.parametrize("seconds", [10.0, 7.0, 1.0])
def test_a_window_has_the_same_vector_as_with_the_library(
    encoder: Any, checkpoint: Path, seconds: float
) -> None:
    library = laion_clap.construct(
        architecture="HTSAT-tiny",
        text=laion_clap.text_config(laion_clap.read_state(checkpoint)),
        device="cpu",
    )
    saved = torch.load(checkpoint, weights_only=False)["state_dict"]
    del saved["module.text_branch.embeddings.position_ids"]
    library.model.load_state_dict({name[len("module.") :]: saved[name] for name in saved})
    with torch.inference_mode():
        expected = library.get_audio_embedding_from_data(segment(seconds).samples[None])
    assert np.array_equal(encoder.embed([segment(seconds)]), expected)


def test_a_segment_of_more_than_ten_seconds_is_refused(encoder: Any) -> None:
    with pytest.raises(PluginError, match="at most 10 s"):
        encoder.embed([segment(10.001)])


def test_bfloat16_is_another_revision_with_nearly_the_same_vectors(
    encoder: Any, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    float32_revision = registry.revision(registry.ENCODERS.spec(NAME))
    vector = load(checkpoint, dtype="bfloat16").embed([segment(10)])[0]
    assert vector.dtype == np.float32
    assert 0.999 <= cosine(vector, encoder.embed([segment(10)])[0]) < 1
    monkeypatch.setenv("MIRPIPE_COMPUTE_DTYPE", "bfloat16")
    settings.cache_clear()
    assert registry.ENCODERS.spec(NAME).compute_dtype == "bfloat16"
    assert registry.revision(registry.ENCODERS.spec(NAME)) != float32_revision


def test_a_checkpoint_with_code_is_refused_before_the_code_runs(tmp_path: Path) -> None:
    class Payload:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "ran",)

    torch.save({"state_dict": {}, "optimizer": Payload()}, tmp_path / "bad.pt")
    with pytest.raises(Exception, match="weights_only"):
        load(tmp_path / "bad.pt")
    assert not (tmp_path / "ran").exists()


def test_a_checkpoint_without_position_ids_can_be_loaded(
    encoder: Any, checkpoint: Path, tmp_path: Path
) -> None:
    saved = torch.load(checkpoint, weights_only=False)
    del saved["state_dict"]["module.text_branch.embeddings.position_ids"]
    torch.save(saved, tmp_path / "newer.pt")
    assert np.array_equal(
        load(tmp_path / "newer.pt").embed([segment(1)]), encoder.embed([segment(1)])
    )


def test_different_texts_have_different_unit_vectors(encoder: Any) -> None:
    rows = encoder.embed_text(["dark techno", "a happy piano", "dark techno"])
    assert rows.shape == (3, 512)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, rtol=1e-5)
    assert cosine(rows[0], rows[1]) < 0.99999
    np.testing.assert_allclose(rows[0], rows[2], atol=1e-6)
    np.testing.assert_allclose(encoder.embed_text(["a happy piano"])[0], rows[1], atol=1e-5)


def test_tokens_equal_those_of_the_published_tokenizer(
    checkpoint: Path, tokenizer: list[Path]
) -> None:
    published = RobertaTokenizer.from_pretrained(tokenizer[0].parent, local_files_only=True)
    text = "The héavy   drums, he said: 100 %"
    tokens = load(checkpoint, *tokenizer)._load_tokenizer()(text)["input_ids"]
    assert tokens == published(text)["input_ids"]
    assert 261 in tokens


def test_a_tokenizer_of_another_size_than_the_model_is_refused(
    checkpoint: Path, tokenizer: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "vocab.json").write_text(
        '{"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "<mask>": 4}'
    )
    (tmp_path / "merges.txt").write_text("#version: 0.2\n")
    with pytest.raises(PluginError, match="5 tokens, but the model has 262"):
        load(checkpoint, tmp_path / "vocab.json", tmp_path / "merges.txt").embed_text(["x"])


def test_the_error_for_a_missing_tokenizer_names_the_remedy(checkpoint: Path) -> None:
    with pytest.raises(PluginError, match="mirpipe models pull"):
        load(checkpoint).embed_text(["x"])
