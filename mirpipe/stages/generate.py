"""Generate: makes the configured clips that do not exist yet for each target.

A clip becomes a track in the collection `generated`. The other stages embed and score it like any
other track.
"""

import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mirpipe import audio, registry
from mirpipe.db.engine import engine
from mirpipe.db.store import (
    excerpts,
    failure_ledger,
    generations,
    plugin_revisions,
    track_files,
    tracks,
    waveforms,
)
from mirpipe.db.store.generations import NewGeneration, PendingClip, RequestedClip
from mirpipe.errors import PluginError, RejectedInput
from mirpipe.generation import modes
from mirpipe.generation.clip_store import store_clip
from mirpipe.generation.prompts import prompt_template
from mirpipe.generation.request_builder import RequestBuilder
from mirpipe.models import batch_halving, device_lease, package_versions
from mirpipe.models.runnable_plugins import try_plugin
from mirpipe.protocols import Generator
from mirpipe.records import Float32, GenerationRequest, Progress
from mirpipe.settings import settings
from mirpipe.specs import GeneratorSpec


@dataclass(frozen=True)
class ClipSelection:
    """The pending clips that a run makes. None means no restriction."""

    target_ids: Sequence[int] | None = None
    modes: Sequence[str] | None = None
    seeds: int | None = None
    """Number of clips per target and mode. None means the number in the settings.

    Clips with more seeds than in the settings are stored, but do not enter the results.
    """
    limit: int | None = None
    """Largest number of clips that one run makes."""


@dataclass(frozen=True)
class GenerateResult:
    """Numbers of clips that were generated, rejected, or failed and will be tried again."""

    made: int
    rejected: int
    failed: int


@dataclass(frozen=True)
class Estimate:
    """The number and duration of the clips that a run would make, and how long it would take."""

    clips: int
    seconds: float
    """Total duration of the clips, in seconds."""
    modes: dict[str, int]
    """Number of clips per mode."""
    takes_seconds: float | None
    """Time in seconds, estimated from earlier clips. None if the generator has no earlier clips."""


def register(generator: str) -> int:
    """Register the generator's current revision and its configured clips, and return its id.

    The excerpt of each target is chosen as well.
    """
    spec = registry.GENERATORS.spec(generator)
    with engine("app").begin() as connection:
        generator_id = plugin_revisions.register_generator(
            connection, spec, registry.revision(spec)
        )
        generations.set_requested_clips(
            connection, generator_id, _requested_clips(spec, settings().seeds)
        )
        excerpts.choose(connection, settings().generate_seconds)
    return generator_id


def deactivate_other_generators(generators: Sequence[str]) -> None:
    """Mark all other generators as not configured. Their existing clips are kept."""
    with engine("app").begin() as connection:
        plugin_revisions.unconfigure_other_generators(connection, generators)


ALL_CLIPS = ClipSelection()


def plan(generator: str, selection: ClipSelection = ALL_CLIPS) -> list[PendingClip]:
    """Return the selected pending clips. All clips of a target are next to each other."""
    generator_id, spec = register(generator), registry.GENERATORS.spec(generator)
    with engine("app").begin() as connection:
        # Only this transaction sees the seeds of the selection, because the results are about the
        # clips that the settings request.
        if selection.seeds is not None:
            generations.set_requested_clips(
                connection, generator_id, _requested_clips(spec, selection.seeds)
            )
        pending = generations.pending(
            connection, generator_id, target_ids=selection.target_ids, modes=selection.modes
        )
        generations.set_requested_clips(
            connection, generator_id, _requested_clips(spec, settings().seeds)
        )
    return pending[: selection.limit]


def estimate(generator: str, pending: Sequence[PendingClip]) -> Estimate:
    """Return the number and duration of these clips, and the time needed to generate them."""
    seconds = sum(clip.seconds for clip in pending)
    spec = registry.GENERATORS.spec(generator)
    with engine("app").connect() as connection:
        factor = generations.real_time_factor(connection, spec.name, registry.revision(spec))
    return Estimate(
        clips=len(pending),
        seconds=seconds,
        modes=dict(Counter(clip.mode for clip in pending)),
        takes_seconds=None if factor is None else seconds * factor,
    )


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
    the device's name.
    """
    counts = {"made": 0, "rejected": 0, "failed": 0}
    needs = registry.GENERATORS.needs(generator)
    with device_lease.hold_device(needs, on_wait=on_wait):
        pending = plan(generator, selection)
        if not pending:
            return GenerateResult(**counts)
        model = try_plugin(
            registry.GENERATORS, generator, registry.GENERATORS.load, stage="generate"
        )
        if model is None:
            return GenerateResult(**counts | {"failed": len(pending)})
        loaded = _LoadedGenerator(generator, register(generator), model)
        for outcomes in batch_halving.run_in_batches(
            pending, loaded.generate, batch_size=settings().generate_batch
        ):
            loaded.store(outcomes)
            for _, outcome in outcomes:
                counts[_count_as(outcome)] += 1
            if progress:
                progress(sum(counts.values()), len(pending))
    return GenerateResult(**counts)


def _requested_clips(spec: GeneratorSpec, seeds: int) -> list[RequestedClip]:
    """Return the clips of every target in the configured modes, with the seeds below `seeds`."""
    configured = settings()
    return [
        RequestedClip(
            mode=mode.name,
            is_conditioned=mode.is_conditioned,
            guidance=mode.guidance,
            seed=seed,
            template=prompt_template(is_conditioned=mode.is_conditioned),
            longest_seconds=min(configured.generate_seconds, spec.longest_seconds),
        )
        for mode in modes.modes_for_generator(
            configured.modes, configured.guidance_sweep, has_guidance=spec.has_guidance
        )
        for seed in range(seeds)
    ]


@dataclass(frozen=True)
class _GeneratedClip:
    """A clip in the clip store, with its database rows, which are not written yet."""

    file: track_files.SeenFile
    track: tracks.NewTrack
    outline: bytes
    generation: NewGeneration


def _count_as(outcome: _GeneratedClip | Exception) -> str:
    if isinstance(outcome, RejectedInput):
        return "rejected"
    return "failed" if isinstance(outcome, Exception) else "made"


class _LoadedGenerator:
    """A generator with its model. It generates batches of clips and stores them."""

    def __init__(self, generator: str, generator_id: int, model: Generator) -> None:
        self.spec: GeneratorSpec = registry.GENERATORS.spec(generator)
        self._generator_id = generator_id
        libraries = registry.GENERATORS.needs(generator).libraries
        self._versions = package_versions.installed_versions(libraries)
        self._model = model
        self._requests = RequestBuilder(self.spec.sample_rate)

    def generate(self, batch: Sequence[PendingClip]) -> list[_GeneratedClip]:
        """Call the model once, check the generated clips, and write them to the clip store.

        Raises PluginError if the model returns a wrong number of samples, and RejectedInput if a
        clip is silent or the target cannot be used.
        """
        started = time.monotonic()
        requests = [self._requests.build(clip) for clip in batch]
        generated = self._model.generate([request for request, _ in requests])
        seconds_per_clip = (time.monotonic() - started) / len(batch)
        return [
            self._check_and_store(clip, request, parts, samples, seconds_per_clip)
            for clip, (request, parts), samples in zip(batch, requests, generated, strict=True)
        ]

    def store(self, outcomes: Sequence[tuple[PendingClip, _GeneratedClip | Exception]]) -> None:
        """Write the database rows and failures of a batch of clips in one transaction."""
        clips = [outcome for _, outcome in outcomes if isinstance(outcome, _GeneratedClip)]
        with engine("app").begin() as connection:
            tracks.write(connection, "generated", [clip.track for clip in clips])
            track_files.write(connection, "generated", [clip.file for clip in clips])
            outlines = {clip.track.content_sha256: clip.outline for clip in clips}
            waveforms.write(connection, "generated", outlines)
            generations.write(
                connection,
                self._generator_id,
                [clip.generation for clip in clips],
                sampling=self.spec.sampling,
                device=str(getattr(self._model, "device", "cpu")),
                versions=self._versions,
            )
            failure_ledger.update_for_subjects(
                connection,
                stage="generate",
                revision=registry.revision(self.spec),
                succeeded=[clip.generation.clip.subject for clip in clips],
                failed=[
                    (clip.subject, clip.target_id, outcome)
                    for clip, outcome in outcomes
                    if isinstance(outcome, Exception)
                ],
            )

    def _check_and_store(
        self,
        clip: PendingClip,
        request: GenerationRequest,
        prompt_parts: dict[str, str],
        samples: Float32,
        took_seconds: float,
    ) -> _GeneratedClip:
        self._require_valid_samples(samples, request.seconds)
        stored = store_clip(samples, self.spec.sample_rate)
        facts, status = audio.read_audio_facts(stored.path), stored.path.stat()
        return _GeneratedClip(
            file=track_files.SeenFile(
                path=os.fsencode(stored.path),
                path_text=str(stored.path),
                size=status.st_size,
                mtime_ns=status.st_mtime_ns,
                content_sha256=stored.content_sha256,
                reason=None,
            ),
            track=tracks.NewTrack(
                content_sha256=stored.content_sha256,
                title=f"{clip.title} · {self.spec.name} {clip.mode}",
                labels={},
                format=facts.format,
                seconds=facts.seconds,
                sample_rate=facts.sample_rate,
                channels=facts.channels,
                rms_dbfs=facts.rms_dbfs,
                silence=facts.silence,
            ),
            outline=facts.outline,
            generation=NewGeneration(
                clip, request.prompt, prompt_parts, stored.content_sha256, took_seconds
            ),
        )

    def _require_valid_samples(self, samples: Float32, seconds: float) -> None:
        """Raise PluginError if the samples are not finite or their duration is not `seconds`."""
        expected = (round(seconds * self.spec.sample_rate),)
        if samples.shape != expected or not np.isfinite(samples).all():
            raise PluginError(
                f"The generator {self.spec.name} returned samples of shape {samples.shape} for "
                f"{seconds:g} s. Expected are finite numbers of shape {expected}: the plug-in is "
                "broken. Correct its method `generate`."
            )
