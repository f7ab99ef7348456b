"""Builds the generator request for a pending clip: prompt, features and conditioning audio."""

from dataclasses import dataclass

from mirpipe import audio
from mirpipe.db.engine import engine
from mirpipe.db.store import excerpts, track_features, tracks
from mirpipe.db.store.generations import PendingClip
from mirpipe.errors import RejectedInput
from mirpipe.generation.prompts import build_prompt
from mirpipe.library import content_hash
from mirpipe.music import features
from mirpipe.records import AudioSegment, Excerpt, Features, GenerationRequest, Track
from mirpipe.specs import GeneratorSpec


class RequestBuilder:
    """Builds requests, and caches the last target for its other clips."""

    def __init__(self, spec: GeneratorSpec) -> None:
        self._spec = spec
        self._target: _Target | None = None

    def build(self, clip: PendingClip) -> tuple[GenerationRequest, dict[str, str]]:
        """Return the request for the clip, and the parts of its prompt by name.

        Raises RejectedInput or ContentChanged if the target can no longer be used.
        """
        if self._target is None or not self._target.is_target_of(clip):
            self._target = _load_target(clip)
        target, is_conditioned = self._target, clip.is_conditioned
        prompt, parts = build_prompt(clip.caption, target.features, is_conditioned=is_conditioned)
        conditioning = None
        if is_conditioned and self._spec.uses_conditioning_audio:
            conditioning = target.conditioning_audio(self._spec.sample_rate, clip.seconds)
        request = GenerationRequest(
            mode=clip.as_mode,
            prompt=prompt,
            seconds=clip.seconds,
            seed=clip.seed,
            conditioning=conditioning,
            features=target.features_of_excerpt if is_conditioned else None,
        )
        return request, parts


@dataclass
class _Target:
    """A target with its features and its most recent conditioning audio."""

    track: Track
    excerpt: Excerpt
    features_id: int
    features: Features
    """Features of the complete target."""
    _conditioning: tuple[float, AudioSegment] | None = None

    def is_target_of(self, clip: PendingClip) -> bool:
        return (self.excerpt.excerpt_id, self.features_id) == (clip.excerpt_id, clip.features_id)

    @property
    def features_of_excerpt(self) -> Features:
        """The features with the notes and beats of the excerpt only."""
        return features.cut_features(self.features, self.excerpt)

    def conditioning_audio(self, sample_rate: int, seconds: float) -> AudioSegment:
        """Return the harmonic component and the onsets of the excerpt's first `seconds`."""
        if self._conditioning is None or self._conditioning[0] != seconds:
            with content_hash.unchanged_copy(self.track) as path:
                samples = audio.load_mono(
                    path,
                    sample_rate,
                    mix=self.track.mono,
                    start_seconds=self.excerpt.start_seconds,
                    max_seconds=seconds,
                )
            conditioning = features.conditioning(AudioSegment(samples, sample_rate))
            self._conditioning = seconds, conditioning
        return self._conditioning[1]


def _load_target(clip: PendingClip) -> _Target:
    with engine("app").connect() as connection:
        found = tracks.usable_tracks(connection, [clip.target_id])
        rows = track_features.read(connection, clip.features_id, [clip.target_id])
        excerpt = excerpts.read(connection, [clip.excerpt_id])[clip.excerpt_id]
    if not found or clip.target_id not in rows:
        raise RejectedInput(
            "unreadable",
            f"The target {clip.title!r} was removed after this clip was planned. Ingest its folder "
            "again if the target should have clips.",
        )
    return _Target(found[0], excerpt, clip.features_id, features.from_row(rows[clip.target_id]))
