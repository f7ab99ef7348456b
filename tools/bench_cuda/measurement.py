"""What all parts of the measurement share: the options, the devices' memory, and timing."""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from mirpipe import registry
from mirpipe.specs import Runtime, WeightFile


@dataclass(frozen=True)
class Options:
    """How the parts are measured."""

    device: str
    """`cuda` or `cpu`."""
    is_tiny: bool
    """Whether the models are small and each measurement is short, to try the program."""
    folder: Path
    """Folder for the weights of the part, empty at its start."""

    @property
    def seconds_per_measurement(self) -> float:
        """Time after which a measurement is not repeated again, in seconds."""
        return 0.0 if self.is_tiny else 3.0


def load_plugin(name: str, files: dict[WeightFile, Path], dtype: str, options: Options) -> Any:
    """Load mirpipe's plug-in with these weights, on the device, in this number format."""
    module = registry.plugins_of(name)._module(name)
    return module.Plugin(Runtime(files, dtype, options.device))


def best_seconds(run: Callable[[], object], options: Options) -> float:
    """Return the shortest time that a call of `run` takes, in seconds, after one call to warm up.

    There are up to five calls. The caller makes sure that `run` waits for the GPU.
    """
    run()
    best, started = float("inf"), time.monotonic()
    for _ in range(5):
        start = time.monotonic()
        run()
        best = min(best, time.monotonic() - start)
        if time.monotonic() - started >= options.seconds_per_measurement:
            break
    return best


def reset_peak(device: str) -> None:
    """Free unused memory, and start a new measurement of the peak memory."""
    gc.collect()
    if device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    else:
        Path("/proc/self/clear_refs").write_text("5")


def peak_megabytes(device: str) -> int:
    """Return the peak memory since `reset_peak`, in MB: of the GPU, or of this process."""
    if device == "cuda":
        return round(torch.cuda.max_memory_reserved() / 1e6)
    lines = Path("/proc/self/status").read_text().splitlines()
    kilobytes = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    return round(kilobytes / 1000)
