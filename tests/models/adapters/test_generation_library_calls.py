"""Generators and captioners return what their libraries return, with random weights."""

from types import ModuleType

import numpy as np
import pytest

from mirpipe.models.adapters.generation_library_calls import load_captioner, load_generator
from mirpipe.models.adapters.qwen2_audio import SAMPLE_RATE, Qwen2Audio
from mirpipe.plugins.captioners import qwen2_audio
from mirpipe.plugins.generators import ace_step, musicgen_melody, musicgen_melody_audiocraft
from mirpipe.records import AudioSegment
from mirpipe.specs import Runtime
from tests.models.adapters.musicgen_requests import random_weights_of, request
from tests.support.synthetic_music import melody


@pytest.mark.parametrize("plugin", [ace_step, musicgen_melody, musicgen_melody_audiocraft])
def test_a_generator_makes_the_clips_of_its_library(plugin: ModuleType) -> None:
    runtime = Runtime(random_weights_of(plugin), "float32", "cpu")
    run_library = load_generator(runtime, plugin.SPEC)
    requests = [
        request(melody_seed=seed, sample_rate=plugin.SPEC.sample_rate) for seed in (1, 2, None)
    ]
    for asked, clip in zip(requests, plugin.Plugin(runtime).generate(requests), strict=True):
        assert np.array_equal(run_library(asked), clip)


def test_a_captioner_writes_the_captions_of_its_library() -> None:
    runtime = Runtime(random_weights_of(qwen2_audio), "bfloat16", "cpu")
    model = Qwen2Audio(runtime, name="qwen2_audio", max_new_tokens=24)
    run_library = load_captioner(runtime, qwen2_audio.SPEC, max_new_tokens=24)
    for seed in (0, 1):
        segment = AudioSegment(melody(2, SAMPLE_RATE, seed=seed), SAMPLE_RATE)
        assert run_library(segment) == model.answer(segment, qwen2_audio.SPEC.instruction)
