"""Tests for the memory check for large models: the required memory, the error and its remedy."""

import pytest

from mirpipe.errors import Unavailable
from mirpipe.models.adapters.memory_requirements import FreeMemory, needed_bytes, require_memory

GB = 10**9
WEIGHTS = 16_794_000_000
"""Size of Qwen2-Audio-7B-Instruct's published weights, in bytes."""


def refusal(free: FreeMemory, compute_dtype: str, *, on_card: bool) -> Unavailable:
    """Return the error on a machine with this free memory."""
    with pytest.raises(Unavailable) as raised:
        require_memory(
            "qwen2_audio",
            free,
            weight_bytes=WEIGHTS,
            compute_dtype=compute_dtype,
            on_card=on_card,
        )
    return raised.value


def require_fit(free: FreeMemory, compute_dtype: str, *, on_card: bool) -> None:
    """Raise Unavailable if the model does not fit."""
    require_memory(
        "qwen2_audio", free, weight_bytes=WEIGHTS, compute_dtype=compute_dtype, on_card=on_card
    )


def test_int8_needs_less_than_two_thirds_of_the_memory_of_bfloat16() -> None:
    assert round(needed_bytes(WEIGHTS, "bfloat16") / GB, 1) == 18.3
    assert round(needed_bytes(WEIGHTS, "int8") / GB, 1) == 11.2


@pytest.mark.parametrize(
    ("free", "compute_dtype", "on_card"),
    [
        (FreeMemory(ram=19 * GB, card=None, has_int8=False), "bfloat16", False),
        (FreeMemory(ram=19 * GB, card=2 * GB, has_int8=False), "bfloat16", False),
        (FreeMemory(ram=19 * GB, card=19 * GB, has_int8=False), "bfloat16", True),
        (FreeMemory(ram=4 * GB, card=12 * GB, has_int8=True), "int8", True),
    ],
)
def test_a_model_that_fits_is_accepted_and_with_a_quarter_of_the_memory_refused(
    free: FreeMemory, compute_dtype: str, on_card: bool
) -> None:
    require_fit(free, compute_dtype, on_card=on_card)
    smaller = FreeMemory(free.ram // 4, free.card and free.card // 4, free.has_int8)
    assert refusal(smaller, compute_dtype, on_card=on_card).reason == "memory_missing"


def test_the_error_names_needed_and_free_memory() -> None:
    message = str(
        refusal(FreeMemory(ram=8 * GB, card=None, has_int8=False), "bfloat16", on_card=False)
    )
    assert "qwen2_audio in bfloat16 needs 18.3 GB of RAM, but only 8.0 GB are free" in message
    assert message.endswith("choose another captioner")


def test_the_error_suggests_int8_if_the_card_is_large_enough_for_it() -> None:
    small = FreeMemory(ram=64 * GB, card=12 * GB, has_int8=True)
    message = str(refusal(small, "bfloat16", on_card=True))
    assert "18.3 GB of GPU memory, but only 12.0 GB are free" in message
    assert message.endswith("set MIRPIPE_COMPUTE_DTYPE=int8, which needs 11.2 GB")

    without_libraries = FreeMemory(ram=64 * GB, card=12 * GB, has_int8=False)
    assert str(refusal(without_libraries, "bfloat16", on_card=True)).endswith(
        "11.2 GB and the libraries bitsandbytes and accelerate"
    )


def test_the_error_suggests_the_cpu_if_only_the_ram_is_large_enough() -> None:
    free = FreeMemory(ram=64 * GB, card=6 * GB, has_int8=True)
    for compute_dtype in ("bfloat16", "int8"):
        message = str(refusal(free, compute_dtype, on_card=True))
        assert "set MIRPIPE_DEVICE=cpu and MIRPIPE_COMPUTE_DTYPE=bfloat16" in message


def test_int8_needs_a_card_and_libraries() -> None:
    with_libraries = FreeMemory(ram=64 * GB, card=64 * GB, has_int8=True)
    assert refusal(with_libraries, "int8", on_card=False).reason == "card_missing"
    without_libraries = FreeMemory(ram=64 * GB, card=64 * GB, has_int8=False)
    error = refusal(without_libraries, "int8", on_card=True)
    assert error.reason == "library_missing"
    assert "bitsandbytes and accelerate" in str(error)
