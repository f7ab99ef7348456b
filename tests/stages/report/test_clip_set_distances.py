"""KAD and FAD∞ of a mode's clips, and the reasons why a distance is missing."""

from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve
from mirpipe.statistics.kernel_audio_distance import ReferenceKernel, kernel_distance
from tests.migrations.queries import rows
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary, unit

_PLUGINS = """
    WITH m AS (
        INSERT INTO mirpipe.metric (name, revision, spec) VALUES ('features', 'r1', '{}')
        RETURNING metric_id
    ), g AS (
        INSERT INTO mirpipe.generator (name, revision, spec)
        VALUES ('maker', 'r1', '{"licence_weights": "CC0"}') RETURNING generator_id
    ), c AS (
        INSERT INTO mirpipe.captioner (name, revision, spec) VALUES ('echo', 'r1', '{}')
        RETURNING captioner_id
    ), w AS (
        INSERT INTO mirpipe.generation_wish SELECT generator_id, 'plain', false, NULL, seed, 't', 30
        FROM g, generate_series(0, :last_seed) seed
    ), x AS (
        INSERT INTO mirpipe.excerpt (track_id, start_seconds, seconds, is_whole)
        VALUES (:target_id, 0, 1, true) RETURNING excerpt_id
    ), f AS (
        INSERT INTO mirpipe.track_feature (metric_id, track_id, beat_seconds, voiced_fraction,
            notes, onsets_per_second, brightness_hz, reasons)
        SELECT metric_id, :target_id, '{}', 0, '', 0, 0, '{}' FROM m
    )
    INSERT INTO mirpipe.caption (captioner_id, track_id, excerpt_id, features_id, caption,
        window_start_seconds, window_seconds, contradictions, device, versions, took_seconds)
    SELECT captioner_id, :target_id, excerpt_id, metric_id, 'music', 0, 1, '{}', 'cpu', '{}', 0
    FROM c, m, x
"""
_GENERATION = """
    INSERT INTO mirpipe.generation (target_id, excerpt_id, generator_id, caption_id, mode,
        is_conditioned, seed, seconds, template, prompt, prompt_parts, sampling, device, versions,
        track_id, content_sha256, took_seconds)
    SELECT :target_id, excerpt_id, generator_id, caption_id, 'plain', false, :seed, 1, 't',
        'music', '{}', '{}', 'cpu', '{}', :track_id, content_sha256, 0
    FROM mirpipe.generator, mirpipe.caption, mirpipe.track t WHERE t.track_id = :track_id
"""


def random_units(n: int, seed: int) -> np.ndarray:
    """Return n random vectors of length 1."""
    rows = np.random.default_rng(seed).standard_normal((n, 3))
    return np.array([unit(row) for row in rows])


def report_distances(
    database: Database, clips: int, *, references: int = 12, scale: float = 1.0
) -> list[tuple[Any, ...]]:
    """Return the distances that a report stores for the given numbers of clips and references.

    All but the first coordinate of the clips are multiplied by `scale`.
    """
    library = SyntheticLibrary(database.app)
    target_id = library.add("target", "target", [1, 0, 0])
    for number, vector in enumerate(random_units(references, 0)):
        library.add("reference", f"reference {number}", vector)
    library.execute(_PLUGINS, target_id=target_id, last_seed=clips - 1)
    for seed, vector in enumerate(random_units(clips, 1) * [1, scale, scale]):
        track_id = library.add("generated", f"clip {seed}", vector)
        library.execute(_GENERATION, target_id=target_id, track_id=track_id, seed=seed)
    retrieve()
    report(trigger="test")
    with database.reader.connect() as connection:
        found = connection.execute(
            text(
                "SELECT metric, value, reason, is_finding, n, references_n, seconds, bandwidth, "
                "generator, mode, guidance, encoder, licence_weights, random "
                "FROM mirpipe.v_set_distance ORDER BY metric DESC"
            )
        )
        return [tuple(row) for row in found]


def test_distances_are_stored_with_their_inputs(fresh_database: Database) -> None:
    kad, fad = report_distances(fresh_database, 9)
    reference = ReferenceKernel.of(random_units(12, 0))
    assert reference is not None
    assert kad[0] == "kad"
    assert kad[1] == pytest.approx(kernel_distance(random_units(9, 1), reference), abs=1e-6)
    assert kad[2:7] == (None, False, 9, 12, 9.0)
    assert kad[7] == pytest.approx(reference.bandwidth, abs=1e-6)
    assert kad[8:] == ("maker", "plain", None, "made_up", "CC0; none", False)
    assert fad[0] == "fad_inf"
    assert fad[2:8] == (None, False, 9, 12, 9.0, None)


def test_too_few_clips_have_a_reason_instead_of_a_number(fresh_database: Database) -> None:
    kad, fad = report_distances(fresh_database, 3)
    assert kad[1] is not None
    assert fad[1:4] == (None, "too_few_clips", False)


def test_a_library_with_one_reference_has_a_reason_instead_of_a_number(
    fresh_database: Database,
) -> None:
    kad, fad = report_distances(fresh_database, 9, references=1)
    assert kad[1:3] == (None, "too_few_references")
    assert fad[1:3] == (None, "too_few_references")


@pytest.mark.parametrize(("clips", "is_finding"), [(49, False), (50, True)])
def test_only_fifty_clips_or_more_are_a_finding(
    fresh_database: Database, clips: int, is_finding: bool
) -> None:
    kad, _ = report_distances(fresh_database, clips)
    assert kad[3] == is_finding


@pytest.mark.parametrize(("references", "is_finding"), [(29, False), (40, True)])
def test_fad_above_its_bias_is_a_finding_if_there_are_enough_references(
    fresh_database: Database, references: int, is_finding: bool
) -> None:
    _, fad = report_distances(fresh_database, 50, references=references, scale=0.05)
    [(bias, high)] = rows(
        fresh_database,
        "SELECT bias, bias_high FROM mirpipe.v_set_distance WHERE metric = 'fad_inf'",
    )
    assert bias < high < fad[1]
    assert fad[3] == is_finding
