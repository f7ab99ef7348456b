"""A synthetic library with melodies, notes and matches that are stored without a model."""

import numpy as np

from mirpipe.db.store import melodies, track_features
from mirpipe.music import features
from mirpipe.music.features.pitch_class_packing import pack_pitch_classes
from mirpipe.records import Features, Note
from mirpipe.stages import evaluate as stage
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary


class SyntheticMatches(SyntheticLibrary):
    """Tracks with synthetic melodies, and neighbour lists that contain them.

    `name` is the encoder's name. If it is `clap`, the CLAP metrics use the encoder's vectors.
    """

    def __init__(self, database: Database, *, name: str = "made_up") -> None:
        super().__init__(database.app, name=name)
        metrics = stage.register()
        self.melody_id, self.features_id = metrics.melody, metrics.features

    def add_with_melody(
        self,
        collection: str,
        title: str,
        classes: list[int] | np.ndarray | str,
        *,
        voiced: bool = True,
    ) -> int:
        """Add a track with these pitch classes, and return its id.

        If `classes` is a string, it is the reason why the track has no melody.
        """
        track_id = self.add(collection, title)
        self.set_melody(track_id, classes, voiced=voiced)
        return track_id

    def set_melody(
        self, track_id: int, classes: list[int] | np.ndarray | str, *, voiced: bool = True
    ) -> None:
        """Store a track's melody, or the reason why the track has no melody."""
        if isinstance(classes, str):
            row = melodies.StoredMelody(None, None, None, None, classes)
        else:
            packed = pack_pitch_classes(np.asarray(classes, dtype=np.uint8))
            row = melodies.StoredMelody(len(classes), packed, float(voiced), voiced, None)
        with self.app.begin() as connection:
            melodies.write(connection, self.melody_id, {track_id: row})

    def set_notes(self, track_id: int, notes: list[Note]) -> None:
        """Store features for a track that contain the given notes."""
        measured = Features(None, (), None, None, None, 1.0, tuple(notes), 0.0, 0.0, {})
        with self.app.begin() as connection:
            track_features.write(
                connection, self.features_id, {track_id: features.to_row(measured)}
            )

    def add_matches(self, target: int, *references: int) -> None:
        """Store a target's neighbour list, best match first."""
        for index, reference in enumerate(references):
            self.execute(
                "INSERT INTO mirpipe.neighbour VALUES (:encoder_id, :target, :reference, :cosine)",
                encoder_id=self.encoder_id,
                target=target,
                reference=reference,
                cosine=0.9 - index / 100,
            )

    def scores(self, metric: str = "melody_accuracy") -> list[tuple]:
        """Return the target, reference, value and reason of each score by a metric."""
        return self.rows(
            "SELECT target, reference, value, reason FROM mirpipe.v_pair_score "
            "WHERE metric = :metric ORDER BY 1, 2",
            metric=metric,
        )
