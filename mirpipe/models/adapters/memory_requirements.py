"""Estimates the memory that a large model needs, and refuses to load a model that does not fit."""

from dataclasses import dataclass

from mirpipe.errors import Unavailable

MEMORY_SHARE = {"bfloat16": 1.0, "int8": 0.58}
"""Memory bytes per byte of published bfloat16 weights, for each dtype.

With int8, the embeddings and the output layer stay in bfloat16. In a 7B model, they take 2.6 of
16.8 GB.
"""
WORKING_BYTES = 1_500_000_000
"""Bytes needed in addition to the weights: attention cache, logits and the CUDA context."""


@dataclass(frozen=True)
class FreeMemory:
    """Free memory of this machine."""

    ram: int
    """Free RAM, in bytes."""
    card: int | None
    """Free memory of the CUDA GPU, in bytes; None if there is no GPU."""
    has_int8: bool
    """Whether the libraries that store weights in 8 bits on a CUDA GPU are installed."""


def needed_bytes(weight_bytes: int, compute_dtype: str) -> int:
    """Return the memory that a model needs, in bytes.

    `weight_bytes` is the size of the model's published bfloat16 weights.
    """
    return round(weight_bytes * MEMORY_SHARE[compute_dtype]) + WORKING_BYTES


def require_memory(
    plugin: str, free: FreeMemory, *, weight_bytes: int, compute_dtype: str, on_card: bool
) -> None:
    """Raise Unavailable if the plug-in's model does not fit into the free memory.

    The reason is `card_missing`, `library_missing` or `memory_missing`. The message names a
    configuration that would fit, if there is one.
    """
    if compute_dtype == "int8" and not (on_card and free.card is not None):
        raise Unavailable(
            "card_missing",
            f"{plugin} in int8 needs a CUDA GPU",
            remedy="set MIRPIPE_COMPUTE_DTYPE=bfloat16",
        )
    if compute_dtype == "int8" and not free.has_int8:
        raise Unavailable(
            "library_missing",
            f"{plugin} in int8 needs the libraries bitsandbytes and accelerate",
            remedy="install both libraries in the models interpreter, or set "
            "MIRPIPE_COMPUTE_DTYPE=bfloat16",
        )
    needed = needed_bytes(weight_bytes, compute_dtype)
    # Weights in bfloat16 are loaded into RAM first, even if the model computes on the GPU.
    places = {"RAM": free.ram} if compute_dtype != "int8" else {}
    if on_card:
        places["GPU memory"] = free.card or 0
    for place, available in places.items():
        if available < needed:
            raise Unavailable(
                "memory_missing",
                f"{plugin} in {compute_dtype} needs {_gigabytes(needed)} of {place}, but only "
                f"{_gigabytes(available)} are free",
                remedy=_remedy(free, weight_bytes, compute_dtype),
            )


def _remedy(free: FreeMemory, weight_bytes: int, compute_dtype: str) -> str:
    needed_in_int8 = needed_bytes(weight_bytes, "int8")
    if compute_dtype != "int8" and free.card is not None and free.card >= needed_in_int8:
        libraries = "" if free.has_int8 else " and the libraries bitsandbytes and accelerate"
        needs = f"{_gigabytes(needed_in_int8)}{libraries}"
        return f"set MIRPIPE_COMPUTE_DTYPE=int8, which needs {needs}"
    needed_in_bfloat16 = needed_bytes(weight_bytes, "bfloat16")
    if free.card is not None and free.ram >= needed_in_bfloat16:
        return "set MIRPIPE_DEVICE=cpu and MIRPIPE_COMPUTE_DTYPE=bfloat16, which is slow"
    return "free some memory, use a machine with more memory, or choose another captioner"


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
