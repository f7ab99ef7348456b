"""Caption: words for every target that has been measured, by the wanted captioner."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mirpipe import audio, registry
from mirpipe.db.engine import engine
from mirpipe.db.store import captions, failure_ledger, plugin_revisions, tracks
from mirpipe.db.store import track_features as stored
from mirpipe.errors import RejectedInput, result_or_error
from mirpipe.library import content_hash
from mirpipe.models import device_lease, library_versions
from mirpipe.models.runnable_plugins import attempt
from mirpipe.music import features
from mirpipe.music.captions.contradictions import contradictions
from mirpipe.protocols import Captioner
from mirpipe.records import AudioSegment, Features, Heard, Progress, Track
from mirpipe.specs import CaptionerSpec


@dataclass(frozen=True)
class CaptionResult:
    """How many targets got a caption, cannot have one, or failed and will be tried again."""

    captioned: int
    rejected: int
    failed: int


def register(captioner: str) -> tuple[int, int]:
    """The ids of the captioner's present revision and of the features', as the wanted ones."""
    spec = registry.CAPTIONERS.spec(captioner)
    with engine("app").begin() as connection:
        return (
            plugin_revisions.register_captioner(connection, spec, registry.revision(spec)),
            plugin_revisions.register_metric(
                connection, features.SPEC, registry.metric_revision(features.SPEC)
            ),
        )


def plan(captioner: str) -> list[int]:
    """Ids of the measured targets that lack a caption."""
    ids = register(captioner)
    with engine("app").connect() as connection:
        return captions.pending(connection, *ids)


def caption(
    captioner: str,
    track_ids: Sequence[int] | None = None,
    *,
    progress: Progress | None = None,
    waiting: Callable[[str], None] | None = None,
) -> CaptionResult:
    """Captions what is missing, of `track_ids` where given, with one transaction a target.

    A captioner that cannot be loaded is in the ledger, and its targets count as failed.
    Holds the lease of the device meanwhile; `waiting` is told its name while another has it.
    """
    spec, needs = registry.CAPTIONERS.spec(captioner), registry.CAPTIONERS.needs(captioner)
    captioner_id, features_id = register(captioner)
    counts = {"captioned": 0, "rejected": 0, "failed": 0}
    with device_lease.leased(needs, waiting=waiting):
        with engine("app").connect() as connection:
            missing = captions.pending(connection, captioner_id, features_id, track_ids)
            batch = tracks.tracks(connection, missing)
            measured = stored.read(connection, features_id, missing)
        if not batch:
            return CaptionResult(**counts)
        model = attempt(registry.CAPTIONERS, captioner, registry.CAPTIONERS.load, stage="caption")
        if model is None:
            return CaptionResult(**counts | {"failed": len(batch)})
        for track in batch:
            heard = features.from_row(measured[track.track_id])
            outcome = result_or_error(_caption, model, spec, track, heard)
            with engine("app").begin() as connection:
                if isinstance(outcome, captions.NewCaption):
                    captions.write(
                        connection,
                        captioner_id,
                        features_id,
                        [outcome],
                        device=str(getattr(model, "device", "cpu")),
                        versions=library_versions.of(needs.libraries),
                    )
                problem = outcome if isinstance(outcome, Exception) else None
                failure_ledger.settle(
                    connection,
                    stage="caption",
                    revision=registry.revision(spec),
                    done=[] if problem else [track],
                    problems=[(track, problem)] if problem else [],
                )
            is_rejected = isinstance(problem, RejectedInput)
            counts["captioned" if problem is None else "rejected" if is_rejected else "failed"] += 1
            if progress:
                progress(sum(counts.values()), len(batch))
    return CaptionResult(**counts)


def _caption(
    model: Captioner, spec: CaptionerSpec, track: Track, measured: Features
) -> captions.NewCaption:
    started = time.monotonic()
    content_hash.require_unchanged(track)
    start, segment = _window(spec, track)
    said = model.caption([Heard(segment, measured)])[0].strip()
    if not said:
        raise RejectedInput("no_caption", f"{spec.name} says nothing of {track.title!r}")
    return captions.NewCaption(
        track_id=track.track_id,
        caption=said,
        window_start_seconds=start,
        window_seconds=len(segment.samples) / segment.sample_rate,
        contradictions=list(contradictions(said, measured)),
        took_seconds=time.monotonic() - started,
    )


def _window(spec: CaptionerSpec, track: Track) -> tuple[float, AudioSegment]:
    """The middle of the track, which tells more than an introduction; where it begins, seconds."""
    window_seconds = spec.window_samples / spec.sample_rate
    start = max(0.0, (track.seconds - window_seconds) / 2)
    end = start + window_seconds
    samples = audio.load_mono(track.path, spec.sample_rate, max_seconds=end)
    first = round(start * spec.sample_rate)
    return start, AudioSegment(samples[first : first + spec.window_samples], spec.sample_rate)
