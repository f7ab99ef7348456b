"""Tests for the Qwen2-Audio adapter: captions, prompt, weights and memory."""

import gc
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch
from safetensors.torch import load_file, save_file

from mirpipe import registry
from mirpipe.errors import OutOfMemory, PluginError, RejectedInput, Unavailable
from mirpipe.models.adapters import memory_requirements, qwen2_audio
from mirpipe.models.adapters.qwen2_audio import transformers
from mirpipe.plugins.captioners import qwen2_audio as plugin
from mirpipe.records import AudioSegment, CaptionInput, Features
from mirpipe.settings import settings
from mirpipe.specs import Runtime
from tests.models.adapters import random_qwen2_audio_weights
from tests.support.random_weights import folder_of_weights
from tests.support.synthetic_music import melody

RATE = 16_000
UNMEASURED = Features(None, (), None, None, None, 0.0, (), 0.0, 0.0, {})


@pytest.fixture(scope="module")
def folder() -> Path:
    """Return the folder with all random weights."""
    return folder_of_weights()


@pytest.fixture(scope="module")
def published(folder: Path) -> Path:
    """Return the folder with random weights for the published files."""
    return folder / plugin.REPOSITORY


@pytest.fixture
def configured(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Configure mirpipe so that only the random weights are used."""
    monkeypatch.setenv("MIRPIPE_STAND_INS", str(folder))
    monkeypatch.setenv("MIRPIPE_HOME", str(tmp_path))
    monkeypatch.setenv("MIRPIPE_DEVICE", "cpu")
    settings.cache_clear()


@pytest.fixture(scope="module")
def model(folder: Path) -> qwen2_audio.Qwen2Audio:
    return load(folder)


def load(folder: Path, *, max_new_tokens: int = 24) -> qwen2_audio.Qwen2Audio:
    files = {file: folder / file.repository / file.filename for file in plugin.NEEDS.weights}
    runtime = Runtime(files, "bfloat16", "cpu")
    return qwen2_audio.Qwen2Audio(runtime, name="qwen2_audio", max_new_tokens=max_new_tokens)


def segment(seconds: float, seed: int = 0) -> AudioSegment:
    return AudioSegment(melody(seconds, RATE, seed=seed), RATE)


def test_the_plugin_captions_each_track_in_order(configured: None) -> None:
    inputs = [CaptionInput(segment(2, seed), UNMEASURED) for seed in (0, 1, 0)]
    captions = registry.CAPTIONERS.load("qwen2_audio").caption(inputs)
    assert all(type(each) is str and each.strip() == each != "" for each in captions)
    assert captions[0] == captions[2] != captions[1]


def test_the_dtype_is_bfloat16_unless_int8_is_configured(
    configured: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = registry.CAPTIONERS.spec("qwen2_audio")
    assert published.compute_dtype == "bfloat16"
    monkeypatch.setenv("MIRPIPE_COMPUTE_DTYPE", "int8")
    settings.cache_clear()
    in_int8 = registry.CAPTIONERS.spec("qwen2_audio")
    assert in_int8.compute_dtype == "int8"
    assert registry.revision(in_int8) != registry.revision(published)
    assert registry.ENCODERS.declared("muq").compute_dtype == "float32"


def test_the_same_segment_always_gets_the_same_caption(
    model: qwen2_audio.Qwen2Audio, folder: Path
) -> None:
    caption = model.answer(segment(3), plugin.SPEC.instruction)
    assert model.answer(segment(3), plugin.SPEC.instruction) == caption
    assert load(folder).answer(segment(3), plugin.SPEC.instruction) == caption


def test_decoding_is_greedy_although_the_published_settings_sample(
    model: qwen2_audio.Qwen2Audio, published: Path
) -> None:
    assert '"do_sample": true' in (published / "generation_config.json").read_text()
    torch.manual_seed(1)
    caption = model.answer(segment(3), plugin.SPEC.instruction)
    torch.manual_seed(2)
    assert model.answer(segment(3), plugin.SPEC.instruction) == caption


def test_the_audio_changes_the_caption(model: qwen2_audio.Qwen2Audio) -> None:
    captions = {model.answer(segment(3, seed), plugin.SPEC.instruction) for seed in range(4)}
    assert len(captions) == 4


def test_the_instruction_changes_the_caption(model: qwen2_audio.Qwen2Audio) -> None:
    instructions = plugin.SPEC.instruction, "Name the key.", "Is there a singer?"
    answers = {model.answer(segment(3), instruction) for instruction in instructions}
    assert len(answers) == 3


def test_thirty_seconds_are_used_completely_and_more_is_refused(
    model: qwen2_audio.Qwen2Audio,
) -> None:
    longest = segment(30)
    assert len(longest.samples) == plugin.SPEC.window_samples == qwen2_audio.LONGEST_SAMPLES
    other_ending = longest.samples.copy()
    other_ending[-RATE:] = segment(1, seed=1).samples
    caption = model.answer(longest, plugin.SPEC.instruction)
    assert model.answer(AudioSegment(other_ending, RATE), plugin.SPEC.instruction) != caption

    too_long = np.append(longest.samples, np.float32(0))
    with pytest.raises(PluginError, match="480001 samples"):
        model.answer(AudioSegment(too_long, RATE), plugin.SPEC.instruction)


def test_another_sample_rate_is_refused(model: qwen2_audio.Qwen2Audio) -> None:
    with pytest.raises(PluginError, match="at 44100 Hz"):
        model.answer(AudioSegment(segment(1).samples, 44_100), plugin.SPEC.instruction)


def test_the_prompt_equals_the_template_of_the_library(published: Path) -> None:
    processor = qwen2_audio.load_processor(published)
    content = [{"type": "audio"}, {"type": "text", "text": "What is it?"}]
    template = processor.default_chat_template
    expected = processor.apply_chat_template(
        [{"role": "user", "content": content}], chat_template=template, add_generation_prompt=True
    )
    assert qwen2_audio.CONVERSATION.format(instruction="What is it?") == expected


def test_special_tokens_are_one_token_each_and_never_part_of_an_answer(
    model: qwen2_audio.Qwen2Audio, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = model._processor.tokenizer
    special = random_qwen2_audio_weights.SPECIAL
    special_ids = [tokenizer.convert_tokens_to_ids(token) for token in special]
    assert tokenizer("".join(special)).input_ids == special_ids
    tokens = [*tokenizer(" a\n b ").input_ids, *special_ids]
    assert answer_with_tokens(model, monkeypatch, tokens) == "a b"


def test_an_empty_answer_is_rejected(
    model: qwen2_audio.Qwen2Audio, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RejectedInput) as raised:
        answer_with_tokens(model, monkeypatch, [model._processor.tokenizer.eos_token_id])
    assert raised.value.reason == "no_caption"


def answer_with_tokens(
    model: qwen2_audio.Qwen2Audio, monkeypatch: pytest.MonkeyPatch, tokens: list[int]
) -> str:
    """Return the answer that results if the model generates these tokens."""

    def generate(input_ids: Any, **_: Any) -> Any:
        return torch.cat([input_ids, torch.tensor([tokens])], dim=1)

    monkeypatch.setattr(model._model, "generate", generate)
    return model.answer(segment(1), "What is it?")


def test_the_published_weights_are_loaded_unchanged(
    model: qwen2_audio.Qwen2Audio, published: Path
) -> None:
    assert model._model.dtype == torch.bfloat16
    saved: dict[str, Any] = {}
    for shard in plugin.SHARDS:
        saved |= load_file(published / shard.filename)
    loaded = model._model.state_dict()
    assert len(saved) == len(loaded)
    assert torch.equal(saved["language_model.lm_head.weight"], loaded["lm_head.weight"])


def test_a_checkpoint_with_a_missing_weight_is_refused(published: Path, tmp_path: Path) -> None:
    for path in published.iterdir():
        (tmp_path / path.name).symlink_to(path)
    shard = tmp_path / plugin.SHARDS[-1].filename
    weights = load_file(shard)
    del weights[next(iter(weights))]
    shard.unlink()
    save_file(weights, shard, metadata={"format": "pt"})
    with pytest.raises(PluginError, match="weights are missing"):
        qwen2_audio.load_model(tmp_path, "bfloat16", torch.device("cpu"))


def test_the_stated_sizes_and_the_share_of_int8_agree_with_the_architecture() -> None:
    text = {
        "model_type": "qwen2",
        "vocab_size": 156_032,
        "intermediate_size": 11_008,
        "max_position_embeddings": 8192,
    }
    with torch.device("meta"):
        full = transformers.Qwen2AudioForConditionalGeneration(
            transformers.Qwen2AudioConfig(text_config=text)
        )
    total = sum(weights.numel() for weights in full.parameters()) * 2
    assert abs(total / 1e6 - sum(shard.megabytes for shard in plugin.SHARDS)) < 3
    quantised = sum(
        module.weight.numel()
        for name, module in full.named_modules()
        if isinstance(module, torch.nn.Linear) and name != "lm_head"
    )
    assert 0 <= memory_requirements.MEMORY_SHARE["int8"] - (total - quantised) / total < 0.01


def test_too_little_memory_is_an_error_before_weights_are_loaded(
    configured: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    class LittleMemory:
        available = 10**9

    monkeypatch.setattr(psutil, "virtual_memory", LittleMemory)
    monkeypatch.setattr(qwen2_audio, "load_model", None)
    with pytest.raises(Unavailable, match=r"needs 1\.5 GB of RAM, but only 1\.0 GB") as raised:
        registry.CAPTIONERS.load("qwen2_audio")
    assert raised.value.reason == "memory_missing"


def test_deleting_the_plugin_frees_the_model(configured: None) -> None:
    captioner = registry.CAPTIONERS.load("qwen2_audio")
    captioner.caption([CaptionInput(segment(1), UNMEASURED)])
    model = weakref.ref(captioner._model._model)
    del captioner
    gc.collect()
    assert model() is None


def test_a_segment_that_does_not_fit_is_an_out_of_memory_and_its_tensors_are_freed(
    model: qwen2_audio.Qwen2Audio, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment = AudioSegment(melody(1, RATE, seed=0), RATE)
    caches: list[weakref.ref[torch.Tensor]] = []

    def full_card(**_: Any) -> None:
        cache = torch.zeros(3)
        caches.append(weakref.ref(cache))
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    before = model.answer(segment, "Describe the music.")
    with monkeypatch.context() as patch:
        patch.setattr(model._model, "generate", full_card)
        with pytest.raises(OutOfMemory, match="does not fit into GPU memory") as raised:
            model.answer(segment, "Describe the music.")
    assert raised.value.__cause__ is not None
    assert caches[0]() is None
    assert model.answer(segment, "Describe the music.") == before
