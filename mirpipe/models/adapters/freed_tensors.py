"""Frees the GPU memory of a call that failed, so that a smaller call can use it."""

import traceback

import torch


def free_tensors_of(error: BaseException) -> None:
    """Free the tensors in the error's stack frames, and torch's cache of freed GPU memory.

    The frames keep their variables as long as the error exists, and a caller may store the error
    while it tries again with a smaller batch. Frames that are still running are left unchanged.
    """
    traceback.clear_frames(error.__traceback__)
    torch.cuda.empty_cache()
