"""Helpers that write a waveform for every example track, and a map for every encoder."""

import numpy as np
from sqlalchemy import Connection, text


def write_waveforms(connection: Connection) -> None:
    """Write a waveform for every track without a waveform."""
    peaks = np.sin(np.arange(400) / 9)[:, None] * np.array([-90, 90])
    connection.execute(
        text(
            "INSERT INTO mirpipe.waveform SELECT track_id, :peaks FROM mirpipe.track "
            "ON CONFLICT DO NOTHING"
        ),
        {"peaks": peaks.astype(np.int8).tobytes()},
    )


def write_maps(connection: Connection) -> None:
    """Add one map per encoder to the last run. The tracks form a spiral, in order of their ids."""
    connection.execute(
        text(
            "INSERT INTO mirpipe.map SELECT run_id, encoder_id, "
            "(SELECT count(*) FROM mirpipe.track), 0.5, 0.25 FROM mirpipe.run_encoder "
            "WHERE run_id = (SELECT max(run_id) FROM mirpipe.run)"
        )
    )
    connection.execute(
        text(
            "INSERT INTO mirpipe.map_point SELECT run_id, encoder_id, track_id, "
            "track_id * cos(track_id), track_id * sin(track_id) "
            "FROM mirpipe.map CROSS JOIN mirpipe.track"
        )
    )
