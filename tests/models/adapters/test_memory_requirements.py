"""Memory for a large model: what is asked, of which place, and what would fit instead."""

import pytest

from mirpipe.errors import Unavailable
from mirpipe.models.adapters.memory_requirements import Room, needed, require

GB = 10**9
WEIGHTS = 16_794_000_000
"""Of the published Qwen2-Audio-7B-Instruct, in bytes."""


def refusal(room: Room, compute_dtype: str, *, on_card: bool) -> Unavailable:
    with pytest.raises(Unavailable) as raised:
        require(
            "qwen2_audio",
            room,
            weight_bytes=WEIGHTS,
            compute_dtype=compute_dtype,
            on_card=on_card,
        )
    return raised.value


def fits(room: Room, compute_dtype: str, *, on_card: bool) -> None:
    require("qwen2_audio", room, weight_bytes=WEIGHTS, compute_dtype=compute_dtype, on_card=on_card)


def test_eight_bits_take_well_under_two_thirds() -> None:
    assert round(needed(WEIGHTS, "bfloat16") / GB, 1) == 18.3
    assert round(needed(WEIGHTS, "int8") / GB, 1) == 11.2


@pytest.mark.parametrize(
    ("room", "compute_dtype", "on_card"),
    [
        (Room(ram=19 * GB, card=None, has_int8=False), "bfloat16", False),
        (Room(ram=19 * GB, card=2 * GB, has_int8=False), "bfloat16", False),
        (Room(ram=19 * GB, card=19 * GB, has_int8=False), "bfloat16", True),
        (Room(ram=4 * GB, card=12 * GB, has_int8=True), "int8", True),
    ],
)
def test_what_fits_is_not_refused(room: Room, compute_dtype: str, on_card: bool) -> None:
    fits(room, compute_dtype, on_card=on_card)
    smaller = Room(room.ram // 4, room.card and room.card // 4, room.has_int8)
    assert refusal(smaller, compute_dtype, on_card=on_card).reason == "memory_missing"


def test_a_refusal_states_what_is_needed_and_what_is_there() -> None:
    said = str(refusal(Room(ram=8 * GB, card=None, has_int8=False), "bfloat16", on_card=False))
    assert "qwen2_audio in bfloat16 needs 18.3 GB of RAM and 8.0 GB are free" in said
    assert said.endswith("choose another captioner")


def test_a_card_too_small_for_sixteen_bits_is_told_of_eight() -> None:
    small = Room(ram=64 * GB, card=12 * GB, has_int8=True)
    said = str(refusal(small, "bfloat16", on_card=True))
    assert "18.3 GB of memory of the CUDA card and 12.0 GB are free" in said
    assert said.endswith("set MIRPIPE_COMPUTE_DTYPE=int8, which needs 11.2 GB")

    bare = Room(ram=64 * GB, card=12 * GB, has_int8=False)
    assert str(refusal(bare, "bfloat16", on_card=True)).endswith(
        "11.2 GB, with bitsandbytes and accelerate installed"
    )


def test_a_card_too_small_for_anything_is_told_of_enough_ram() -> None:
    room = Room(ram=64 * GB, card=6 * GB, has_int8=True)
    for compute_dtype in ("bfloat16", "int8"):
        said = str(refusal(room, compute_dtype, on_card=True))
        assert "set MIRPIPE_DEVICE=cpu and MIRPIPE_COMPUTE_DTYPE=bfloat16" in said


def test_eight_bits_need_a_card_and_their_libraries() -> None:
    everything = Room(ram=64 * GB, card=64 * GB, has_int8=True)
    assert refusal(everything, "int8", on_card=False).reason == "card_missing"
    bare = Room(ram=64 * GB, card=64 * GB, has_int8=False)
    refused = refusal(bare, "int8", on_card=True)
    assert refused.reason == "library_missing"
    assert "bitsandbytes and accelerate" in str(refused)
