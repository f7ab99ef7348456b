"""Qwen2-Audio: it hears, it is asked, it repeats itself, and it is refused where it cannot fit."""

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
from mirpipe.errors import PluginError, RejectedInput, Unavailable
from mirpipe.models.adapters import memory_requirements, qwen2_audio
from mirpipe.models.adapters.qwen2_audio import transformers
from mirpipe.plugins.captioners import qwen2_audio as plugin
from mirpipe.records import AudioSegment, Features, Heard
from mirpipe.settings import settings
from mirpipe.specs import Runtime
from tests.models.adapters.adapters import stand_in_qwen2_audio
from tests.support.random_weights import folder_of_weights
from tests.support.synthetic_music import melody

RATE = 16_000
UNMEASURED = Features(None, (), None, None, None, 0.0, (), 0.0, 0.0, {})


@pytest.fixture(scope="module")
def folder() -> Path:
    """Where the stand-in's files lie."""
    return folder_of_weights()


@pytest.fixture(scope="module")
def published(folder: Path) -> Path:
    return folder / plugin.REPOSITORY


@pytest.fixture
def chosen(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings name the stand-in and no other weights."""
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


def test_it_loads_by_name_and_captions_every_track_in_order(chosen: None) -> None:
    heard = [Heard(segment(2, seed), UNMEASURED) for seed in (0, 1, 0)]
    captions = registry.CAPTIONERS.load("qwen2_audio").caption(heard)
    assert all(type(one) is str and one.strip() == one != "" for one in captions)
    assert captions[0] == captions[2] != captions[1]


def test_its_dtype_is_the_published_one_unless_eight_bits_are_asked_for(
    chosen: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = registry.CAPTIONERS.spec("qwen2_audio")
    assert published.compute_dtype == "bfloat16"
    monkeypatch.setenv("MIRPIPE_COMPUTE_DTYPE", "int8")
    settings.cache_clear()
    held = registry.CAPTIONERS.spec("qwen2_audio")
    assert held.compute_dtype == "int8"
    assert registry.revision(held) != registry.revision(published)
    assert registry.ENCODERS.declared("muq").compute_dtype == "float32"


def test_a_captions_words_are_repeated(model: qwen2_audio.Qwen2Audio, folder: Path) -> None:
    said = model.answer(segment(3), plugin.SPEC.instruction)
    assert model.answer(segment(3), plugin.SPEC.instruction) == said
    assert load(folder).answer(segment(3), plugin.SPEC.instruction) == said


def test_decoding_is_greedy_though_the_published_settings_sample(
    model: qwen2_audio.Qwen2Audio, published: Path
) -> None:
    assert '"do_sample": true' in (published / "generation_config.json").read_text()
    torch.manual_seed(1)
    one = model.answer(segment(3), plugin.SPEC.instruction)
    torch.manual_seed(2)
    assert model.answer(segment(3), plugin.SPEC.instruction) == one


def test_the_audio_changes_the_caption(model: qwen2_audio.Qwen2Audio) -> None:
    said = {model.answer(segment(3, seed), plugin.SPEC.instruction) for seed in range(4)}
    assert len(said) == 4


def test_the_instruction_changes_the_caption(model: qwen2_audio.Qwen2Audio) -> None:
    asked = plugin.SPEC.instruction, "Name the key.", "Is there a singer?"
    assert len({model.answer(segment(3), instruction) for instruction in asked}) == 3


def test_all_of_thirty_seconds_is_heard_and_no_more_is_accepted(
    model: qwen2_audio.Qwen2Audio,
) -> None:
    whole = segment(30)
    assert len(whole.samples) == plugin.SPEC.window_samples == qwen2_audio.LONGEST_SAMPLES
    changed = whole.samples.copy()
    changed[-RATE:] = segment(1, seed=1).samples
    said = model.answer(whole, plugin.SPEC.instruction)
    assert model.answer(AudioSegment(changed, RATE), plugin.SPEC.instruction) != said

    longer = np.append(whole.samples, np.float32(0))
    with pytest.raises(PluginError, match="480001 samples"):
        model.answer(AudioSegment(longer, RATE), plugin.SPEC.instruction)


def test_another_sample_rate_is_refused(model: qwen2_audio.Qwen2Audio) -> None:
    with pytest.raises(PluginError, match="at 44100 Hz"):
        model.answer(AudioSegment(segment(1).samples, 44_100), plugin.SPEC.instruction)


def test_the_conversation_is_the_one_that_the_library_knows(published: Path) -> None:
    processor = qwen2_audio.load_processor(published)
    asked = [{"type": "audio"}, {"type": "text", "text": "What is it?"}]
    template = processor.default_chat_template
    known = processor.apply_chat_template(
        [{"role": "user", "content": asked}], chat_template=template, add_generation_prompt=True
    )
    assert qwen2_audio.CONVERSATION.format(instruction="What is it?") == known


def test_special_tokens_are_one_token_each_and_are_never_said(
    model: qwen2_audio.Qwen2Audio, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = model._processor.tokenizer
    specials = [tokenizer.convert_tokens_to_ids(t) for t in stand_in_qwen2_audio.SPECIAL]
    assert tokenizer("".join(stand_in_qwen2_audio.SPECIAL)).input_ids == specials
    said = answering(model, monkeypatch, [*tokenizer(" a\n b ").input_ids, *specials])
    assert said == "a b"


def test_saying_nothing_is_no_caption(
    model: qwen2_audio.Qwen2Audio, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RejectedInput) as raised:
        answering(model, monkeypatch, [model._processor.tokenizer.eos_token_id])
    assert raised.value.reason == "no_caption"


def answering(
    model: qwen2_audio.Qwen2Audio, monkeypatch: pytest.MonkeyPatch, tokens: list[int]
) -> str:
    """The answer where the model appends these tokens."""

    def generate(input_ids: Any, **_: Any) -> Any:
        return torch.cat([input_ids, torch.tensor([tokens])], dim=1)

    monkeypatch.setattr(model._model, "generate", generate)
    return model.answer(segment(1), "What is it?")


def test_weights_are_read_as_published(model: qwen2_audio.Qwen2Audio, published: Path) -> None:
    assert model._model.dtype == torch.bfloat16
    saved: dict[str, Any] = {}
    for shard in plugin.SHARDS:
        saved |= load_file(published / shard.filename)
    loaded = model._model.state_dict()
    assert len(saved) == len(loaded)
    assert torch.equal(saved["language_model.lm_head.weight"], loaded["lm_head.weight"])


def test_a_missing_weight_is_refused_rather_than_left_random(
    published: Path, tmp_path: Path
) -> None:
    for path in published.iterdir():
        (tmp_path / path.name).symlink_to(path)
    shard = tmp_path / plugin.SHARDS[-1].filename
    weights = load_file(shard)
    lost = next(iter(weights))
    shard.unlink()
    save_file({k: v for k, v in weights.items() if k != lost}, shard, metadata={"format": "pt"})
    with pytest.raises(PluginError, match="lacks 1 weights"):
        qwen2_audio.load_model(tmp_path, "bfloat16", torch.device("cpu"))


def test_the_published_sizes_and_the_share_of_eight_bits_are_those_of_the_architecture() -> None:
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
    assert 0 <= memory_requirements.SHARE["int8"] - (total - quantised) / total < 0.01


def test_too_little_memory_is_refused_before_anything_is_read(
    chosen: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Little:
        available = 10**9

    monkeypatch.setattr(psutil, "virtual_memory", Little)
    monkeypatch.setattr(qwen2_audio, "load_model", None)
    with pytest.raises(Unavailable, match=r"needs 1\.5 GB of RAM and 1\.0 GB are free") as raised:
        registry.CAPTIONERS.load("qwen2_audio")
    assert raised.value.reason == "memory_missing"


def test_a_deleted_plug_in_frees_its_model(chosen: None) -> None:
    captioner = registry.CAPTIONERS.load("qwen2_audio")
    captioner.caption([Heard(segment(1), UNMEASURED)])
    alive = weakref.ref(captioner._model._model)
    del captioner
    gc.collect()
    assert alive() is None
