"""Caption: writes a caption for each target that has features, with the configured captioner.

The captioner receives the middle of the target's excerpt.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mirpipe import audio, registry
from mirpipe.db.engine import engine
from mirpipe.db.store import (
    captions,
    excerpts,
    failure_ledger,
    plugin_revisions,
    track_features,
    tracks,
)
from mirpipe.errors import RejectedInput, result_or_error
from mirpipe.library import content_hash
from mirpipe.models import device_lease, package_versions, peak_memory
from mirpipe.models.runnable_plugins import try_plugin
from mirpipe.music import features
from mirpipe.music.captions.contradictions import contradictions
from mirpipe.protocols import Captioner
from mirpipe.records import AudioSegment, CaptionInput, Excerpt, Features, Progress, Track
from mirpipe.settings import settings
from mirpipe.specs import CaptionerSpec


@dataclass(frozen=True)
class CaptionResult:
    """Numbers of targets that were captioned, rejected, or failed and will be tried again."""

    captioned: int
    rejected: int
    failed: int


@dataclass(frozen=True)
class _LoadedCaptioner:
    """A captioner with its model, and the revision ids that are stored with its captions."""

    spec: CaptionerSpec
    captioner_id: int
    features_id: int
    model: Captioner
    versions: dict[str, str]
    """Versions of the libraries that the captioner uses."""


def register(captioner: str) -> tuple[int, int]:
    """Register the current captioner and features revisions as configured; return both ids.

    The excerpt of each target is chosen as well.
    """
    spec = registry.CAPTIONERS.spec(captioner)
    with engine("app").begin() as connection:
        captioner_id = plugin_revisions.register_captioner(
            connection, spec, registry.revision(spec)
        )
        features_id = plugin_revisions.register_metric(
            connection, features.SPEC, registry.metric_revision(features.SPEC)
        )
        # Locks are taken in the same order as in `generate`: first "register", then "excerpt".
        excerpts.choose(connection, settings().generate_seconds)
    return captioner_id, features_id


def plan(captioner: str) -> list[int]:
    """Return the ids of the targets that have features but no caption of their excerpt."""
    captioner_id, features_id = register(captioner)
    with engine("app").connect() as connection:
        return captions.pending(connection, captioner_id, features_id)


def caption(
    captioner: str,
    track_ids: Sequence[int] | None = None,
    *,
    progress: Progress | None = None,
    on_wait: Callable[[str], None] | None = None,
) -> CaptionResult:
    """Caption all pending targets, or only those in `track_ids`, with one transaction per target.

    If the captioner cannot be loaded, the cause is recorded in the failure ledger and all targets
    count as failed. The device is reserved during the run. If another process uses the device,
    `on_wait` is called with the device's name.
    """
    spec, needs = registry.CAPTIONERS.spec(captioner), registry.CAPTIONERS.needs(captioner)
    captioner_id, features_id = register(captioner)
    counts = {"captioned": 0, "rejected": 0, "failed": 0}
    with device_lease.hold_device(needs, on_wait=on_wait):
        with engine("app").connect() as connection:
            pending = captions.pending(connection, captioner_id, features_id, track_ids)
            targets = tracks.usable_tracks(connection, pending)
            rows = track_features.read(connection, features_id, pending)
            chosen = excerpts.wanted(connection, pending)
        if not targets:
            return CaptionResult(**counts)
        peak_memory.reset()
        model = try_plugin(
            registry.CAPTIONERS, captioner, registry.CAPTIONERS.load, stage="caption"
        )
        if model is None:
            return CaptionResult(**counts | {"failed": len(targets)})
        versions = package_versions.installed_versions(needs.libraries)
        loaded = _LoadedCaptioner(spec, captioner_id, features_id, model, versions)
        for target in targets:
            target_features = features.from_row(rows[target.track_id])
            excerpt = chosen[target.track_id]
            outcome = result_or_error(_write_caption, loaded, target, excerpt, target_features)
            _store(loaded, target, outcome)
            counts[_count_as(outcome)] += 1
            if progress:
                progress(sum(counts.values()), len(targets))
    return CaptionResult(**counts)


def _count_as(outcome: captions.NewCaption | Exception) -> str:
    if isinstance(outcome, RejectedInput):
        return "rejected"
    return "failed" if isinstance(outcome, Exception) else "captioned"


def _store(
    loaded: _LoadedCaptioner, target: Track, outcome: captions.NewCaption | Exception
) -> None:
    """Store one target's caption or failure in one transaction."""
    problem = outcome if isinstance(outcome, Exception) else None
    device = str(getattr(loaded.model, "device", "cpu"))
    with engine("app").begin() as connection:
        if isinstance(outcome, captions.NewCaption):
            captions.write(
                connection,
                loaded.captioner_id,
                loaded.features_id,
                [outcome],
                device=device,
                versions=loaded.versions,
                peak_memory_bytes=peak_memory.read(device),
            )
        failure_ledger.update_for_tracks(
            connection,
            stage="caption",
            revision=registry.revision(loaded.spec),
            succeeded=[] if problem else [target],
            failed=[(target, problem)] if problem else [],
        )


def _write_caption(
    loaded: _LoadedCaptioner, target: Track, excerpt: Excerpt, target_features: Features
) -> captions.NewCaption:
    started = time.monotonic()
    with content_hash.unchanged_copy(target) as path:
        start_seconds, segment = _middle_window(loaded.spec, target, path, excerpt)
    text = loaded.model.caption([CaptionInput(segment, target_features)])[0].strip()
    if not text:
        raise RejectedInput(
            "no_caption",
            f"{loaded.spec.name} returned an empty caption for {target.title!r}. Configure another "
            "captioner if this target needs a caption.",
        )
    return captions.NewCaption(
        track_id=target.track_id,
        excerpt_id=excerpt.excerpt_id,
        caption=text,
        window_start_seconds=start_seconds,
        window_seconds=len(segment.samples) / segment.sample_rate,
        contradictions=list(contradictions(text, target_features)),
        took_seconds=time.monotonic() - started,
    )


def _middle_window(
    spec: CaptionerSpec, target: Track, path: Path, excerpt: Excerpt
) -> tuple[float, AudioSegment]:
    """Return the start in seconds and the audio of a window from the middle of the excerpt."""
    window_seconds = min(spec.window_samples / spec.sample_rate, excerpt.seconds)
    start_seconds = excerpt.start_seconds + (excerpt.seconds - window_seconds) / 2
    samples = audio.load_mono(
        path,
        spec.sample_rate,
        mix=target.mono,
        start_seconds=start_seconds,
        max_seconds=window_seconds,
    )
    return start_seconds, AudioSegment(samples[: spec.window_samples], spec.sample_rate)
