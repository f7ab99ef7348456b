"""SQL that sorts generation modes for tables and charts."""

from mirpipe.generation.modes import MODES

MODE_ORDER = (
    f"guidance NULLS FIRST, array_position(ARRAY{[mode.name for mode in MODES]}, mode), mode"
)
"""ORDER BY terms: lowest guidance first. Modes with equal guidance are sorted as in MODES."""

MODE_PLACES = """
    SELECT r.name AS generator, g.mode, g.guidance, row_number() OVER (ORDER BY r.name,
        bool_or(g.is_conditioned),
        g.guidance NULLS FIRST, g.mode) AS place
    FROM mirpipe.generation g JOIN mirpipe.generator r USING (generator_id)
    GROUP BY r.name, g.mode, g.guidance
"""
"""Subquery with the sort position of every mode that has clips.

For each generator, modes without conditioning audio come first. Modes are then sorted by guidance.
"""
