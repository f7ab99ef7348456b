"""Whether a large model fits into the memory that is free, and what would fit if it does not."""

from dataclasses import dataclass

from mirpipe.errors import Unavailable

SHARE = {"bfloat16": 1.0, "int8": 0.58}
"""Memory of the weights for each byte of them published in bfloat16.

Held in 8 bits, embeddings and output layer stay as they are: 2.6 of 16.8 GB of a 7B model.
"""
WORKING_BYTES = 1_500_000_000
"""What computing takes besides the weights: attention's cache, logits, the CUDA context."""


@dataclass(frozen=True)
class Room:
    """Bytes that are free on this machine."""

    ram: int
    card: int | None
    """Of the CUDA card; None where there is none."""
    has_int8: bool
    """Whether the libraries are here that hold weights in 8 bits on a CUDA card."""


def needed(weight_bytes: int, compute_dtype: str) -> int:
    """Bytes that a model takes whose published weights are `weight_bytes` of bfloat16."""
    return round(weight_bytes * SHARE[compute_dtype]) + WORKING_BYTES


def require(name: str, room: Room, *, weight_bytes: int, compute_dtype: str, on_card: bool) -> None:
    """Raises Unavailable where the model does not fit; the message names what would.

    `reason` is `card_missing`, `library_missing` or `memory_missing`.
    """
    if compute_dtype == "int8" and not (on_card and room.card is not None):
        raise Unavailable(
            "card_missing",
            f"{name} in int8 needs a CUDA card: set MIRPIPE_COMPUTE_DTYPE=bfloat16",
        )
    if compute_dtype == "int8" and not room.has_int8:
        raise Unavailable(
            "library_missing",
            f"{name} in int8 needs bitsandbytes and accelerate: install both into the models' "
            "interpreter, or set MIRPIPE_COMPUTE_DTYPE=bfloat16",
        )
    wants = needed(weight_bytes, compute_dtype)
    # weights in bfloat16 pass through the RAM on their way to the card
    places = {"RAM": room.ram} if compute_dtype != "int8" else {}
    if on_card:
        places["memory of the CUDA card"] = room.card or 0
    for place, free in places.items():
        if free < wants:
            raise Unavailable(
                "memory_missing",
                f"{name} in {compute_dtype} needs {_gigabytes(wants)} of {place} and "
                f"{_gigabytes(free)} are free: {_remedy(room, weight_bytes, compute_dtype)}",
            )


def _remedy(room: Room, weight_bytes: int, compute_dtype: str) -> str:
    smaller = needed(weight_bytes, "int8")
    if compute_dtype != "int8" and room.card is not None and room.card >= smaller:
        missing = "" if room.has_int8 else ", with bitsandbytes and accelerate installed"
        return f"set MIRPIPE_COMPUTE_DTYPE=int8, which needs {_gigabytes(smaller)}{missing}"
    larger = needed(weight_bytes, "bfloat16")
    if room.card is not None and room.ram >= larger:
        return "set MIRPIPE_DEVICE=cpu and MIRPIPE_COMPUTE_DTYPE=bfloat16, which is slow"
    return "free some, use a machine that has more, or choose another captioner"


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
