"""A generator with its model: generates, checks and stores one batch of clips."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mirpipe import audio, registry
from mirpipe.db.engine import engine
from mirpipe.db.store import (
    audio_measurements,
    failure_ledger,
    generations,
    track_files,
    tracks,
    waveforms,
)
from mirpipe.db.store.generations import NewGeneration, PendingClip
from mirpipe.errors import PluginError
from mirpipe.generation.clip_store import store_clip
from mirpipe.generation.request_builder import RequestBuilder
from mirpipe.models import package_versions, peak_memory
from mirpipe.protocols import Generator
from mirpipe.records import AudioMeasurement, Float32, GenerationRequest
from mirpipe.specs import GeneratorSpec
from mirpipe.storage.local_copies import local_copy


@dataclass(frozen=True)
class GeneratedClip:
    """A clip in the clip store, with its database rows, which are not written yet."""

    file: track_files.SeenFile
    track: tracks.NewTrack
    outline: bytes
    measurement: AudioMeasurement
    generation: NewGeneration


class LoadedGenerator:
    """A generator with its model. It generates batches of clips and stores them."""

    def __init__(self, generator: str, generator_id: int, model: Generator) -> None:
        self.spec: GeneratorSpec = registry.GENERATORS.spec(generator)
        self._generator_id = generator_id
        libraries = registry.GENERATORS.needs(generator).libraries
        self._versions = package_versions.installed_versions(libraries)
        self._model = model
        self._requests = RequestBuilder(self.spec)

    def generate(self, batch: Sequence[PendingClip]) -> list[GeneratedClip]:
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

    def store(self, outcomes: Sequence[tuple[PendingClip, GeneratedClip | Exception]]) -> None:
        """Write the database rows and failures of a batch of clips in one transaction."""
        clips = [outcome for _, outcome in outcomes if isinstance(outcome, GeneratedClip)]
        device = str(getattr(self._model, "device", "cpu"))
        with engine("app").begin() as connection:
            tracks.write(connection, "generated", [clip.track for clip in clips])
            track_files.write(connection, "generated", [clip.file for clip in clips])
            outlines = {clip.track.content_sha256: clip.outline for clip in clips}
            waveforms.write(connection, "generated", outlines)
            measurements = {clip.track.content_sha256: clip.measurement for clip in clips}
            audio_measurements.write(connection, "generated", measurements)
            generations.write(
                connection,
                self._generator_id,
                [clip.generation for clip in clips],
                sampling=self.spec.sampling,
                device=device,
                versions=self._versions,
                peak_memory_bytes=peak_memory.read(device),
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
    ) -> GeneratedClip:
        self._require_valid_samples(samples, request.seconds)
        stored = store_clip(samples, self.spec.sample_rate)
        with local_copy(stored.path) as path:
            facts = audio.read_audio_facts(path)
        return GeneratedClip(
            file=track_files.SeenFile(
                path=os.fsencode(stored.path),
                path_text=str(stored.path),
                size=stored.size,
                mtime_ns=stored.mtime_ns,
                ctime_ns=stored.ctime_ns,
                content_sha256=stored.content_sha256,
                reason=None,
                file_sha256=stored.content_sha256,
                format=facts.format,
            ),
            track=tracks.NewTrack(
                content_sha256=stored.content_sha256,
                title=f"{clip.title} · {self.spec.name} {clip.mode}",
                labels={},
                seconds=facts.seconds,
                sample_rate=facts.sample_rate,
                channels=facts.channels,
                rms_dbfs=facts.rms_dbfs,
                silence=facts.silence,
            ),
            outline=facts.outline,
            measurement=facts.measurement,
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
