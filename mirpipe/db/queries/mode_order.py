"""SQL that sorts generation modes for tables and charts."""

from mirpipe.generation.modes import MODES

MODE_ORDER = (
    f"guidance NULLS FIRST, array_position(ARRAY{[mode.name for mode in MODES]}, mode), mode"
)
"""ORDER BY terms: lowest guidance first. Modes with equal guidance are sorted as in MODES."""

MODE_PLACES = """
    SELECT generator, mode, guidance, row_number() OVER (ORDER BY generator,
        bool_or(is_conditioned),
        guidance NULLS FIRST, mode) AS place
    FROM mirpipe.v_generation GROUP BY generator, mode, guidance
"""
"""Subquery with the sort position of every mode that has clips.

For each generator, modes without conditioning audio come first. Modes are then sorted by guidance.
"""
