"""Helpers that write captions and clips for the example library to the database."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from mirpipe.db.store import (
    captions,
    embeddings,
    excerpts,
    generations,
    plugin_revisions,
    track_features,
)
from mirpipe.db.store.generations import NewGeneration, PendingClip, RequestedClip
from mirpipe.generation.modes import MODES, Mode, modes_for_generator
from mirpipe.specs import CaptionerSpec, GeneratorSpec, MetricSpec
from tests.dashboard.example_library import Piece, accuracy, track, update_summaries

UNGUIDED = modes_for_generator(MODES, (), has_guidance=False)


@dataclass(frozen=True)
class Maker:
    """A generator and the clips that it generates for every target."""

    name: str
    modes: Sequence[Mode] = MODES
    seeds: int = 1
    checkpoint: str = "weights"
    licence_weights: str = "CC-BY-NC-4.0"
    is_random: bool = False


def describe(
    connection: Connection,
    *,
    caption: str = "A slow piece in A minor.",
    contradictions: Sequence[str] = (),
    checkpoint: str = "writer",
) -> None:
    """Write features and a caption for every target. Unpitched targets have no key or meter."""
    spec = MetricSpec("features", 1, "", 0, 1, True, "")
    features_id = plugin_revisions.register_metric(connection, spec, "1")
    captioner = CaptionerSpec(
        *("writer", 1, checkpoint, "", 16000, 16000, "", "MIT", "Tongyi", "nobody")
    )
    captioner_id = plugin_revisions.register_captioner(connection, captioner, "1")
    targets = _targets(connection)
    rows = {target_id: _features(voiced=voiced) for target_id, _, voiced in targets}
    track_features.write(connection, features_id, rows)
    excerpts.choose(connection, 30.0)
    chosen = excerpts.wanted(connection, list(rows))
    new = [
        captions.NewCaption(
            target_id, excerpt.excerpt_id, caption, 0.0, 15.0, list(contradictions), 0.1
        )
        for target_id, excerpt in chosen.items()
    ]
    captions.write(connection, captioner_id, features_id, new, device="cpu", versions={})


def make(connection: Connection, makers: Sequence[Maker], folder: Path, sound: Path) -> None:
    """Write clips and scores for every captioned target, and update the last run.

    All clips contain the audio of the file `sound`. Vectors and melody accuracies are random. The
    first clip has no melody accuracy.
    """
    rng = np.random.default_rng(0)
    for maker in makers:
        spec = GeneratorSpec(
            *(maker.name, 1, maker.checkpoint, "", 44100, 30.0, True, {}, "MIT"),
            *(maker.licence_weights, "nobody"),
            is_random=maker.is_random,
        )
        generator_id = plugin_revisions.register_generator(connection, spec, "1")
        requested = [
            RequestedClip(mode.name, mode.is_conditioned, mode.guidance, seed, "t1", 30.0)
            for mode in maker.modes
            for seed in range(maker.seeds)
        ]
        generations.set_requested_clips(connection, generator_id, requested)
        for clip in generations.pending(connection, generator_id):
            made = _write_clip(connection, maker, clip, folder, sound)
            generations.write(
                connection, generator_id, [made], sampling={}, device="cpu", versions={}
            )
    pairs = connection.execute(
        text("SELECT target_id, track_id FROM mirpipe.generation ORDER BY generation_id")
    ).all()
    for pair in pairs[1:]:
        accuracy(connection, pair.target_id, pair.track_id, float(rng.beta(2, 5)))
    tracks = sorted({track_id for pair in pairs for track_id in pair})
    for encoder_id in connection.execute(
        text("SELECT encoder_id FROM mirpipe.serving_revision ORDER BY encoder_id")
    ).scalars():
        vectors = {track_id: unit_vector(rng) for track_id in tracks}
        embeddings.write(connection, encoder_id, vectors, device="cpu", versions={}, seconds=1.0)
    update_summaries(connection)


def unit_vector(rng: np.random.Generator) -> NDArray[np.float32]:
    """Return a random vector of length 1, shape (4,)."""
    vector = rng.normal(size=4) + 1
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def _targets(connection: Connection) -> list[tuple[int, str, bool]]:
    targets = connection.execute(
        text(
            "SELECT track_id, title, voiced FROM mirpipe.track JOIN mirpipe.melody USING (track_id)"
            " WHERE collection = 'target' ORDER BY track_id"
        )
    )
    return [(row.track_id, row.title, row.voiced) for row in targets]


def _features(*, voiced: bool) -> track_features.Row:
    unpitched = {} if voiced else {"key": "unpitched", "meter": "no_clear_meter"}
    return {
        "tempo_bpm": 120.4,
        "beat_seconds": [0.5, 1.0],
        "meter": 4 if voiced else None,
        "key": "A minor" if voiced else None,
        "key_clarity": 0.3 if voiced else None,
        "voiced_fraction": 0.8 if voiced else 0.1,
        "notes": b"",
        "onsets_per_second": 2.0,
        "brightness_hz": 2000.0,
        "reasons": unpitched,
        "tempo_candidates": [60.2, 120.4, 240.8],
        "tempo_strengths": [0.6, 1.0, 0.1],
        "octave_ambiguous": True,
    }


def _write_clip(
    connection: Connection, maker: Maker, clip: PendingClip, folder: Path, sound: Path
) -> NewGeneration:
    title = f"{clip.title} · {maker.name} {clip.mode} {clip.guidance} {clip.seed}"
    digest = hashlib.sha256(f"{title} {clip.target_id}".encode()).digest()
    path = folder / f"{digest.hex()}{sound.suffix}"
    path.symlink_to(sound)
    track(connection, Piece("generated", title, path), digest)
    prompt = f"{clip.caption} 120 BPM." if clip.is_conditioned else clip.caption
    return NewGeneration(clip, prompt, {}, digest, 0.1)
