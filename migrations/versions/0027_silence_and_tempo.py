"""Stores the silent parts of each track, and the candidates for its tempo."""

from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE mirpipe.track "
        "ADD silent_share double precision CHECK (silent_share >= 0 AND silent_share < 1), "
        "ADD silent_parts double precision[] CHECK (cardinality(silent_parts) % 2 = 0), "
        "ADD sounding_rms_dbfs double precision, "
        "ADD CHECK (num_nulls(silent_share, silent_parts, sounding_rms_dbfs) IN (0, 3))"
    )
    op.execute(
        "ALTER TABLE mirpipe.track_feature "
        "ADD tempo_candidates double precision[] NOT NULL DEFAULT '{}', "
        "ADD tempo_strengths double precision[] NOT NULL DEFAULT '{}', "
        "ADD octave_ambiguous boolean, "
        "ADD CHECK (cardinality(tempo_candidates) = cardinality(tempo_strengths))"
    )


def downgrade() -> None:
    op.execute(
        "ALTER TABLE mirpipe.track_feature "
        "DROP tempo_candidates, DROP tempo_strengths, DROP octave_ambiguous"
    )
    op.execute(
        "ALTER TABLE mirpipe.track DROP silent_share, DROP silent_parts, DROP sounding_rms_dbfs"
    )
