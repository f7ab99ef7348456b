"""Answers of made-up melodies, notes and vectors, written to the tables as the stages would."""

import numpy as np

from mirpipe.db.store import melodies
from mirpipe.db.store import track_features as stored
from mirpipe.music import features
from mirpipe.music.metrics import melody_accuracy as melody
from mirpipe.records import Features, Note
from mirpipe.stages import evaluate as stage
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary


class Answers(SyntheticLibrary):
    """Tracks with made-up melodies, and neighbour lists that name them.

    The encoder that answers is called `name`: `clap` makes its vectors those that are compared.
    """

    def __init__(self, database: Database, *, name: str = "made_up") -> None:
        super().__init__(database.app, name=name)
        metrics = stage.register()
        self.melody_id, self.features_id = metrics.melody, metrics.features

    def track(
        self,
        collection: str,
        title: str,
        classes: list[int] | np.ndarray | str,
        *,
        voiced: bool = True,
    ) -> int:
        """A track with these pitch classes, or with this reason for none."""
        track_id = self.add(collection, title)
        self.melody(track_id, classes, voiced=voiced)
        return track_id

    def melody(
        self, track_id: int, classes: list[int] | np.ndarray | str, *, voiced: bool = True
    ) -> None:
        if isinstance(classes, str):
            row = melodies.StoredMelody(None, None, None, None, classes)
        else:
            packed = melody.pack(np.asarray(classes, dtype=np.uint8))
            row = melodies.StoredMelody(len(classes), packed, float(voiced), voiced, None)
        with self.app.begin() as connection:
            melodies.write(connection, self.melody_id, {track_id: row})

    def notes(self, track_id: int, notes: list[Note]) -> None:
        measured = Features(None, (), None, None, None, 1.0, tuple(notes), 0.0, 0.0, {})
        with self.app.begin() as connection:
            stored.write(connection, self.features_id, {track_id: features.to_row(measured)})

    def answer(self, target: int, *references: int) -> None:
        for rank, reference in enumerate(references):
            self.run(
                "INSERT INTO mirpipe.neighbour VALUES (:encoder_id, :target, :reference, :cosine)",
                encoder_id=self.encoder_id,
                target=target,
                reference=reference,
                cosine=0.9 - rank / 100,
            )

    def scores(self, metric: str = "melody_accuracy") -> list[tuple]:
        return self.rows(
            "SELECT target, reference, value, reason FROM mirpipe.v_pair_score "
            "WHERE metric = :metric ORDER BY 1, 2",
            metric=metric,
        )
