"""Each model that `mirpipe models check` checks has a call of its library."""

from mirpipe.models.adapters import generation_library_calls, library_calls
from mirpipe.operations.model_check.check import CHECKED


def test_each_checked_model_has_a_call_of_its_library() -> None:
    captioner = {"qwen2_audio"}
    generators = set(generation_library_calls._GENERATORS)
    assert set(library_calls._LOADERS) | generators | captioner == set(CHECKED)
