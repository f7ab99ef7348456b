"""Generates the missing clips in batches, and counts the results."""

from collections.abc import Callable
from dataclasses import dataclass

from mirpipe import registry
from mirpipe.errors import RejectedInput, StorageUnavailable
from mirpipe.models import batch_halving, device_lease, peak_memory
from mirpipe.models.runnable_plugins import try_plugin
from mirpipe.records import Progress
from mirpipe.settings import settings
from mirpipe.stages.generate.loaded_generator import GeneratedClip, LoadedGenerator
from mirpipe.stages.generate.missing_clips import ALL_CLIPS, ClipSelection, plan, register


@dataclass(frozen=True)
class GenerateResult:
    """Numbers of clips that were generated, rejected, or failed and will be tried again."""

    made: int
    rejected: int
    failed: int


def generate(
    generator: str,
    selection: ClipSelection = ALL_CLIPS,
    *,
    progress: Progress | None = None,
    on_wait: Callable[[str], None] | None = None,
) -> GenerateResult:
    """Generate the selected pending clips, with one transaction per model call.

    If the run is killed, only the clips of the last model call are lost, and the next run continues
    with these clips. If the generator cannot be loaded, all selected clips count as failed. The
    device is reserved during the run. If another process uses the device, `on_wait` is called with
    the device's name. Raises StorageUnavailable if the bucket of the clips or of a target does not
    answer.
    """
    counts = {"made": 0, "rejected": 0, "failed": 0}
    needs = registry.GENERATORS.needs(generator)
    with device_lease.hold_device(needs, on_wait=on_wait):
        pending = plan(generator, selection)
        if not pending:
            return GenerateResult(**counts)
        peak_memory.reset()
        model = try_plugin(
            registry.GENERATORS, generator, registry.GENERATORS.load, stage="generate"
        )
        if model is None:
            return GenerateResult(**counts | {"failed": len(pending)})
        loaded = LoadedGenerator(generator, register(generator), model)
        for outcomes in batch_halving.run_in_batches(
            pending, loaded.generate, batch_size=settings().generate_batch
        ):
            loaded.store(outcomes)
            for _, outcome in outcomes:
                # Without its bucket, all further clips would be generated and lost.
                if isinstance(outcome, StorageUnavailable):
                    raise outcome
                counts[_count_as(outcome)] += 1
            if progress:
                progress(sum(counts.values()), len(pending))
    return GenerateResult(**counts)


def _count_as(outcome: GeneratedClip | Exception) -> str:
    if isinstance(outcome, RejectedInput):
        return "rejected"
    return "failed" if isinstance(outcome, Exception) else "made"
