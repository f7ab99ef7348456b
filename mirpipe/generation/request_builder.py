"""What a generator is asked for a clip that is missing: prompt, features, conditioning audio."""

from dataclasses import dataclass

from mirpipe import audio
from mirpipe.db.engine import engine
from mirpipe.db.store import track_features as stored
from mirpipe.db.store import tracks
from mirpipe.db.store.generations import PendingClip
from mirpipe.errors import RejectedInput
from mirpipe.generation import prompts
from mirpipe.library import content_hash
from mirpipe.music import features
from mirpipe.records import AudioSegment, Features, Request, Track


class Requests:
    """Builds requests; the target of the last one is kept, since a target's clips come together."""

    def __init__(self, sample_rate: int) -> None:
        """`sample_rate` is that of the conditioning audio that the generator wants."""
        self._sample_rate = sample_rate
        self._target: _Target | None = None

    def of(self, clip: PendingClip) -> tuple[Request, dict[str, str]]:
        """The request, and the parts of its prompt.

        Raises RejectedInput or ContentChanged where the target's file cannot be used any more.
        """
        if self._target is None or not self._target.is_of(clip):
            self._target = _target(clip)
        target, heard = self._target, clip.is_conditioned
        prompt, parts = prompts.prompt(clip.caption, target.features, is_conditioned=heard)
        request = Request(
            mode=clip.as_mode,
            prompt=prompt,
            seconds=clip.seconds,
            seed=clip.seed,
            conditioning=target.conditioning(self._sample_rate, clip.seconds) if heard else None,
            features=target.features if heard else None,
        )
        return request, parts


@dataclass
class _Target:
    """A target whose clips are under way."""

    track: Track
    features_id: int
    features: Features
    _heard: tuple[float, AudioSegment] | None = None

    def is_of(self, clip: PendingClip) -> bool:
        return (self.track.track_id, self.features_id) == (clip.target_id, clip.features_id)

    def conditioning(self, sample_rate: int, seconds: float) -> AudioSegment:
        """The first `seconds` of its harmonic part with its onsets."""
        if self._heard is None or self._heard[0] != seconds:
            content_hash.require_unchanged(self.track)
            samples = audio.load_mono(self.track.path, sample_rate, max_seconds=seconds)
            self._heard = seconds, features.conditioning(AudioSegment(samples, sample_rate))
        return self._heard[1]


def _target(clip: PendingClip) -> _Target:
    with engine("app").connect() as connection:
        found = tracks.tracks(connection, [clip.target_id])
        measured = stored.read(connection, clip.features_id, [clip.target_id])
    if not found or clip.target_id not in measured:
        raise RejectedInput("unreadable", f"{clip.title!r} is gone since this was planned")
    return _Target(found[0], clip.features_id, features.from_row(measured[clip.target_id]))
