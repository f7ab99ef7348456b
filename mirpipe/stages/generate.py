"""Generate: makes the clips that are asked of a generator and not there yet.

A clip that is made is a track of the collection `generated`; its vectors and scores are the work
of the same stages that serve every other track.
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
    failure_ledger,
    generations,
    plugin_revisions,
    track_files,
    tracks,
    waveforms,
)
from mirpipe.db.store.generations import Made, PendingClip, Wish
from mirpipe.errors import PluginError, RejectedInput
from mirpipe.generation import clip_store as clips
from mirpipe.generation import modes, prompts
from mirpipe.generation.request_builder import Requests
from mirpipe.models import batch_halving, device_lease, library_versions
from mirpipe.models.runnable_plugins import attempt
from mirpipe.protocols import Generator
from mirpipe.records import Float32, Progress, Request
from mirpipe.settings import settings
from mirpipe.specs import GeneratorSpec


@dataclass(frozen=True)
class Asked:
    """What is asked for of all that is missing; None: no bound."""

    target_ids: Sequence[int] | None = None
    modes: Sequence[str] | None = None
    seeds: int | None = None
    """Clips a target and mode; None: the settings'."""
    limit: int | None = None
    """At most this many clips."""


@dataclass(frozen=True)
class GenerateResult:
    """How many clips were made, cannot be made, or failed and will be tried again."""

    made: int
    rejected: int
    failed: int


@dataclass(frozen=True)
class Estimate:
    """What a run would make."""

    clips: int
    seconds: float
    """Of audio."""
    modes: dict[str, int]
    """Clips by mode."""
    takes_seconds: float | None
    """By what this generator took before; None where it has made nothing yet."""


def register(generator: str, *, seeds: int | None = None) -> int:
    """The id of the generator's present revision, the wanted one, asked what the settings ask."""
    spec, chosen = registry.GENERATORS.spec(generator), settings()
    wishes = [
        Wish(
            mode=mode.name,
            is_conditioned=mode.is_conditioned,
            guidance=mode.guidance,
            seed=seed,
            template=prompts.template(is_conditioned=mode.is_conditioned),
            longest_seconds=min(chosen.generate_seconds, spec.longest_seconds),
        )
        for mode in modes.modes_for(
            chosen.modes, chosen.guidance_sweep, has_guidance=spec.has_guidance
        )
        for seed in range(seeds or chosen.seeds)
    ]
    with engine("app").begin() as connection:
        generator_id = plugin_revisions.register_generator(
            connection, spec, registry.revision(spec)
        )
        generations.wish(connection, generator_id, wishes)
    return generator_id


def want_only(generators: Sequence[str]) -> None:
    """Nothing more is asked of other generators; their clips stay."""
    with engine("app").begin() as connection:
        plugin_revisions.want_only_generators(connection, generators)


EVERYTHING = Asked()


def plan(generator: str, asked: Asked = EVERYTHING) -> list[PendingClip]:
    """The missing clips that are asked for; those of a target stand together."""
    generator_id = register(generator, seeds=asked.seeds)
    with engine("app").connect() as connection:
        missing = generations.pending(
            connection, generator_id, target_ids=asked.target_ids, modes=asked.modes
        )
    return missing[: asked.limit]


def estimate(generator: str, pending: Sequence[PendingClip]) -> Estimate:
    """How much audio these clips are, and how long making them would take."""
    seconds = sum(clip.seconds for clip in pending)
    spec = registry.GENERATORS.spec(generator)
    with engine("app").connect() as connection:
        pace = generations.pace(connection, spec.name, registry.revision(spec))
    return Estimate(
        clips=len(pending),
        seconds=seconds,
        modes=dict(Counter(clip.mode for clip in pending)),
        takes_seconds=None if pace is None else seconds * pace,
    )


def generate(
    generator: str,
    asked: Asked = EVERYTHING,
    *,
    progress: Progress | None = None,
    waiting: Callable[[str], None] | None = None,
) -> GenerateResult:
    """Makes the missing clips that are asked for; a generator that cannot be loaded fails them.

    Holds the lease of the device meanwhile; `waiting` is told its name while another has it. A
    call of the model is a transaction: killed, a run goes on at the next missing clip.
    """
    counts = {"made": 0, "rejected": 0, "failed": 0}
    with device_lease.leased(registry.GENERATORS.needs(generator), waiting=waiting):
        missing = plan(generator, asked)
        if not missing:
            return GenerateResult(**counts)
        model = attempt(registry.GENERATORS, generator, registry.GENERATORS.load, stage="generate")
        if model is None:
            return GenerateResult(**counts | {"failed": len(missing)})
        work = _Work(generator, register(generator, seeds=asked.seeds), model)
        at_once = settings().generate_batch
        for outcomes in batch_halving.calls(missing, work.make, at_once=at_once):
            work.write(outcomes)
            for _, outcome in outcomes:
                counts[_became(outcome)] += 1
            if progress:
                progress(sum(counts.values()), len(missing))
    return GenerateResult(**counts)


@dataclass(frozen=True)
class _Sound:
    """A clip as it lies in the store, and how it came to be."""

    file: track_files.SeenFile
    track: tracks.NewTrack
    outline: bytes
    made: Made


def _became(outcome: _Sound | Exception) -> str:
    if isinstance(outcome, RejectedInput):
        return "rejected"
    return "failed" if isinstance(outcome, Exception) else "made"


class _Work:
    """A loaded generator and what it is given."""

    def __init__(self, generator: str, generator_id: int, model: Generator) -> None:
        self.spec: GeneratorSpec = registry.GENERATORS.spec(generator)
        self._generator_id = generator_id
        self._versions = library_versions.of(registry.GENERATORS.needs(generator).libraries)
        self._model = model
        self._requests = Requests(self.spec.sample_rate)

    def make(self, batch: Sequence[PendingClip]) -> list[_Sound]:
        """One call of the model; its clips are checked and lie in the store."""
        started = time.monotonic()
        asked = [self._requests.of(clip) for clip in batch]
        made = self._model.generate([request for request, _ in asked])
        took = (time.monotonic() - started) / len(batch)
        return [
            self._stored(clip, request, parts, samples, took)
            for clip, (request, parts), samples in zip(batch, asked, made, strict=True)
        ]

    def write(self, outcomes: Sequence[tuple[PendingClip, _Sound | Exception]]) -> None:
        """Tracks and rows of what was made, and the ledger's of what was not, at once."""
        sounds = [sound for _, sound in outcomes if isinstance(sound, _Sound)]
        with engine("app").begin() as connection:
            tracks.write(connection, "generated", [sound.track for sound in sounds])
            track_files.write(connection, "generated", [sound.file for sound in sounds])
            outlines = {sound.track.content_sha256: sound.outline for sound in sounds}
            waveforms.write(connection, "generated", outlines)
            generations.write(
                connection,
                self._generator_id,
                [sound.made for sound in sounds],
                sampling=self.spec.sampling,
                device=str(getattr(self._model, "device", "cpu")),
                versions=self._versions,
            )
            failure_ledger.settle_subjects(
                connection,
                stage="generate",
                revision=registry.revision(self.spec),
                done=[sound.made.clip.subject for sound in sounds],
                problems=[
                    (clip.subject, clip.target_id, problem)
                    for clip, problem in outcomes
                    if isinstance(problem, Exception)
                ],
            )

    def _stored(
        self,
        clip: PendingClip,
        request: Request,
        parts: dict[str, str],
        samples: Float32,
        took_seconds: float,
    ) -> _Sound:
        wanted = (round(request.seconds * self.spec.sample_rate),)
        if samples.shape != wanted or not np.isfinite(samples).all():
            raise PluginError(
                f"{self.spec.name} returned {samples.shape} for {request.seconds:g} s, or numbers "
                f"that are not finite, in place of {wanted}: the plug-in is broken"
            )
        stored = clips.store(samples, self.spec.sample_rate)
        facts, status = audio.inspect(stored.path), stored.path.stat()
        return _Sound(
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
            ),
            outline=facts.outline,
            made=Made(clip, request.prompt, parts, stored.content_sha256, took_seconds),
        )
