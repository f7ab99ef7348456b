"""Damage to stored data is detected, and the digest changes only if the content changes."""

import pytest
from sqlalchemy import text

from mirpipe.db.store import recompute_and_compare
from mirpipe.db.store.content_digest import combined, digests
from mirpipe.db.store.recompute_and_compare import differences
from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve
from tests.support.synthetic_library import SyntheticLibrary

VECTORS = [(x, y, z) for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-2, -1, 1, 2)]

# Statements that damage the stored data, and the checks that must detect the damage.
DAMAGE = {
    "DELETE FROM neighbour WHERE cosine > 0.9": {"lists", "served"},
    "DELETE FROM neighbour n USING neighbour_state s WHERE s.target_id = n.target_id "
    "AND n.cosine = s.horizon_cosine": {"lists"},
    "UPDATE neighbour SET cosine = cosine * (1 + 3e-16) WHERE cosine BETWEEN 0.1 AND 0.9": {
        "lists",
        "served",
    },
    "UPDATE neighbour_state SET horizon_cosine = NULL, horizon_sha256 = NULL": {"lists"},
    "UPDATE neighbour_state SET horizon_cosine = 0.999999": {"lists"},
    "DELETE FROM neighbour_state": {"lists", "orphans"},
    "DELETE FROM neighbour; DELETE FROM neighbour_state": {"lists", "served"},
    "DELETE FROM neighbour WHERE cosine < 0.9; UPDATE neighbour_state SET horizon_cosine = 0.9": {
        "lists",
        "served",
    },
    "UPDATE background_moment SET n = n + 1": {"background"},
    "UPDATE background_moment SET vector_sum = set_byte(vector_sum, 7, 64)": {"background"},
    "UPDATE background_moment SET outer_sum = set_byte(outer_sum, 70, 0)": {"background"},
    "DELETE FROM background_member": {"background"},
    "INSERT INTO embedding_change SELECT encoder_id, track_id FROM embedding": {"queue"},
    "UPDATE embedding SET embedding = '[0.6,0.8,0.01]'": {"vectors", "queue"},
    "UPDATE embedding SET collection = 'generated'": {"vectors", "queue"},
    "UPDATE track_file SET gone_at = now()": {"files"},
    "UPDATE served_neighbour SET rank = 11 WHERE rank = 3": {"served"},
    "DELETE FROM served_neighbour WHERE rank = 10": {"served"},
    "INSERT INTO mirpipe.same_recording SELECT min(track_id), max(track_id), 0.9, 10, 1 "
    "FROM mirpipe.track": {"same recordings"},
}

# One change per table. Each change must affect only the digest of the changed table.
CHANGES = {
    "track": "UPDATE track SET labels = '{\"genre\": \"folk\"}' WHERE title = 'r0'",
    "track_file": "UPDATE track_file SET gone_at = now() WHERE path_text = 'r0'",
    "encoder": "UPDATE encoder SET wanted = false",
    "embedding": "UPDATE embedding SET embedding = '[1,0,0]'",
    "top_neighbour": "UPDATE neighbour SET cosine = cosine * (1 + 3e-16)",
    "served_neighbour": "UPDATE served_neighbour SET cosine = cosine * (1 + 3e-16)",
    "run_group_summary": "UPDATE run_group_summary SET unlabelled_n = 7",
    "run_comparison": "UPDATE run_comparison SET mean_difference = 0.25",
    "run_summary": "UPDATE run_summary SET mean = mean + 1e-8",
    "failure": "UPDATE failure SET reason = 'silent'",
    "melody": "UPDATE melody SET voiced_fraction = 0.5",
    "track_score": "UPDATE track_score SET value = 0.5",
    "pair_score": "UPDATE pair_score SET value = NULL, reason = 'unvoiced'",
    "track_feature": "UPDATE track_feature SET tempo_bpm = 60",
    "serving_metric": "DELETE FROM serving_metric",
    "serving_generator": "DELETE FROM serving_generator",
    "serving_captioner": "DELETE FROM serving_captioner",
    "excerpt": "UPDATE excerpt SET wanted = false",
    "excerpt_embedding": "UPDATE excerpt_embedding SET embedding = '[1,0,0]'",
    "caption": "UPDATE caption SET contradictions = '{tempo}'",
    "caption_embedding": "UPDATE caption_embedding SET embedding = '[1,0,0]'",
    "generation": "UPDATE generation SET seed = 1",
    "run_generation_summary": "UPDATE run_generation_summary SET mean = mean + 1e-8",
    "waveform": "INSERT INTO waveform SELECT track_id, decode(repeat('00', 800), 'hex') "
    "FROM track WHERE title = 'r2'",
    "track_audio": "INSERT INTO track_audio SELECT track_id, NULL, 0.5, NULL "
    "FROM track WHERE title = 'r2'",
    "finding": "INSERT INTO finding SELECT track_id, 0, 'level', 'info', NULL, 'low' "
    "FROM track WHERE title = 'r2'",
    "fingerprint": "INSERT INTO fingerprint SELECT track_id, 'r', NULL, NULL, 'too_short' "
    "FROM track WHERE title = 'r2'",
    "same_recording": "INSERT INTO same_recording SELECT min(track_id), max(track_id), 0.9, 10, 1 "
    "FROM track",
    "map": "UPDATE map SET tracks_n = tracks_n + 1",
    "published": "INSERT INTO published_retrieval VALUES (1, 'E', 't', 'r', 0, 0, 0, 1, 1, 1, 1)",
    "run_ranking": "INSERT INTO run_ranking SELECT run_id, encoder_id, 'targets', 'genre', 'map', "
    "'cosine', 3, 0, 0.5, 0.4, 0.6 FROM run, encoder",
    "run_hubness": "UPDATE run_hubness SET skewness = skewness + 1e-8",
    "run_hub": "UPDATE run_hub SET retrieved_n = retrieved_n + 1",
    "run_agreement": "INSERT INTO run_agreement SELECT run_id, encoder_id, encoder_id, 0.5, 0.5, 3 "
    "FROM run, encoder",
    "run_csls": "UPDATE run_csls SET top10_overlap = 0.123",
    "run_answer": "UPDATE run_answer SET score = score + 1e-8",
    "run_set_distance": "UPDATE run_set_distance SET n = 2",
    "run_encoder": "UPDATE run_encoder SET background_pairs = background_pairs + 1",
    "run_target": "UPDATE run_target SET background_sd = background_sd + 1e-8",
    "metric": "INSERT INTO metric (name, revision, spec, wanted) VALUES ('m', '2', '{}', false)",
    "captioner": "UPDATE captioner SET wanted = NOT wanted",
    "generator": "UPDATE generator SET spec = '{\"is_random\": true}'",
    "generation_wish": "INSERT INTO generation_wish SELECT generator_id, 'simple', false, 3, 1, "
    "'caption', 30 FROM generator",
    "published_interval": "INSERT INTO published_interval VALUES ('t', 's', 'm', 0.1, 0.2, NULL)",
    "published_comparison": "INSERT INTO published_comparison (task, metric, subject, "
    "than_subject, interval_reason, p, p_adjusted, method, family_n, role) "
    "VALUES ('t', 'm', 'a', 'b', 'one_target', 0.5, 0.5, 'exact', 1, 'exploratory')",
}

# More columns, each with the tables whose digest must change.
COLUMN_CHANGES = {
    "UPDATE run_encoder SET background_cosines = array_append(background_cosines, 0.5)": [
        "run_encoder"
    ],
    "UPDATE run_ranking SET interval_reason = 'other'": ["run_ranking"],
    "UPDATE pair_score SET excerpt_id = (SELECT excerpt_id FROM excerpt)": ["pair_score"],
    "UPDATE generation SET excerpt_id = NULL": ["generation"],
    "UPDATE caption SET excerpt_id = NULL": ["caption", "caption_embedding"],
    "UPDATE excerpt SET start_seconds = 6": [
        "excerpt",
        "excerpt_embedding",
        "caption",
        "caption_embedding",
        "generation",
    ],
    "UPDATE failure SET track_id = (SELECT min(track_id) FROM track)": ["failure"],
}

# A target with features, a caption and a clip. The reference r1 is used as the clip.
GENERATION = (
    "INSERT INTO track_feature SELECT metric_id, track_id, 120, '{0.5}', 4, 'A minor', 0.5, 1, "
    "'\\x01', 2, 2000, '{}' FROM metric, track WHERE title = 't1'",
    "INSERT INTO captioner (name, revision, spec) VALUES ('c', '1', '{}')",
    "INSERT INTO excerpt (track_id, start_seconds, seconds, is_whole) "
    "SELECT track_id, 5, 10, false FROM track WHERE title = 't1'",
    "INSERT INTO caption (captioner_id, track_id, features_id, caption, window_start_seconds, "
    "window_seconds, contradictions, device, versions, took_seconds, excerpt_id) SELECT "
    "captioner_id, track_id, metric_id, 'a song', 0, 1, '{}', 'cpu', '{}', 1, excerpt_id "
    "FROM captioner, track_feature JOIN excerpt USING (track_id)",
    "INSERT INTO caption_embedding SELECT encoder_id, caption_id, '[0,1,0]', 'cpu', '{}' "
    "FROM encoder, caption",
    "INSERT INTO excerpt_embedding SELECT encoder_id, excerpt_id, min(batch_id), '[0,1,0]' "
    "FROM excerpt, embedding_batch GROUP BY encoder_id, excerpt_id",
    "INSERT INTO generator (name, revision, spec) VALUES ('g', '1', '{}')",
    "INSERT INTO generation_wish SELECT generator_id, 'simple', false, 3, 0, 'caption', 30 "
    "FROM generator",
    "INSERT INTO generation (target_id, generator_id, caption_id, mode, is_conditioned, guidance, "
    "seed, seconds, template, prompt, prompt_parts, sampling, device, versions, track_id, "
    "content_sha256, took_seconds, excerpt_id) SELECT c.track_id, generator_id, caption_id, "
    "'simple', false, 3, 0, 10, 'caption', 'a song', '{}', '{}', 'cpu', '{}', t.track_id, "
    "t.content_sha256, 1, excerpt_id FROM generator, caption c, track t WHERE t.title = 'r1'",
)

# A comparison of two modes. A report would not store one, because there is only one mode.
COMPARISON = (
    "INSERT INTO run_comparison (run_id, kind, generator_id, mode, than_mode, metric, n, "
    "mean_difference, sd, interval_reason, higher_n, p, p_adjusted, method, family_n, "
    "licence_weights, random) SELECT max(run_id), 'generation', min(generator_id), 'strong', "
    "'simple', 'm', 1, 0.5, 0, 'one_target', 1, 1, 1, 'exact', 1, '', false FROM run, generator"
)

# Changes that do not affect the content. A run on another machine could produce these values.
NOT_CONTENT = (
    "UPDATE failure SET attempts = 7, last_seen = now(), message = 'elsewhere', "
    "subject = '/another/folder/broken.wav'",
    "UPDATE track SET first_seen = now() - interval '1 day'",
    "UPDATE track_file SET path = 'x' || path, path_text = 'x' || path_text, mtime_ns = 5",
    "UPDATE run SET trigger = 'another', finished_at = now() - interval '1 day'",
    "UPDATE run_summary SET mean = mean * (1 + 1e-15)",
    "UPDATE generation SET device = 'cuda', versions = '{\"torch\": \"9\"}', took_seconds = 2",
    "UPDATE neighbour_state SET horizon_cosine = 0, horizon_sha256 = 'x'",
)


def fill_library(library: SyntheticLibrary, *, backwards: bool = False) -> None:
    """Fill the library with content that does not depend on the order in which it is added."""
    references = list(enumerate(VECTORS * 2))
    targets = [(1, 1, 1), (0, 1, 2), (1, 0, -1)]
    for number, vector in references[::-1] if backwards else references:
        library.add("reference", f"r{number}", vector)
        # Running retrieve an additional time gives the neighbour lists a different history.
        if number == 40:
            retrieve()
    for number in (2, 1, 0) if backwards else (0, 1, 2):
        library.add("target", f"t{number}", targets[number], labels={"genre": "folk"})
    library.execute(
        "INSERT INTO failure (stage, subject, reason, message, retry) "
        "VALUES ('ingest', '/a/folder/broken.wav', 'truncated', 'at byte 7', false)"
    )
    library.execute(
        "INSERT INTO metric (name, revision, spec, wanted) VALUES ('m', '1', '{}', true)"
    )
    library.execute(
        "INSERT INTO track_score SELECT metric_id, track_id, 0.25, NULL FROM metric, track "
        "WHERE title = 'r1'"
    )
    library.execute(
        "INSERT INTO pair_score SELECT metric_id, t.track_id, r.track_id, 0.25, NULL "
        "FROM metric, track t, track r WHERE t.title = 't1' AND r.title = 'r1'"
    )
    library.execute(
        "INSERT INTO melody SELECT metric_id, track_id, 2, '\\x1f', 1, true, NULL "
        "FROM metric, track WHERE title = 'r1'"
    )
    for statement in GENERATION:
        library.execute(statement)
    retrieve()
    report(trigger="test")
    library.execute(COMPARISON)


@pytest.fixture
def library(fresh_database):
    library = SyntheticLibrary(fresh_database.app)
    fill_library(library)
    return library


def snapshot(library: SyntheticLibrary):
    return library.app.connect().execution_options(isolation_level="REPEATABLE READ")


def test_an_undamaged_library_has_no_differences(library):
    with snapshot(library) as connection:
        assert list(differences(connection)) == []


@pytest.mark.parametrize("block", [1, recompute_and_compare.LISTS_PER_BLOCK])
def test_every_kind_of_damage_is_found(library, monkeypatch, block):
    monkeypatch.setattr(recompute_and_compare, "LISTS_PER_BLOCK", block)
    found = {}
    with snapshot(library) as connection:
        for damage in DAMAGE:
            for statement in damage.split("; "):
                connection.execute(text(statement))
            found[damage] = {difference.check for difference in differences(connection)}
            connection.rollback()
    assert found == DAMAGE


def test_the_entries_of_few_lists_are_in_memory_at_the_same_time(library, monkeypatch):
    library.add("target", "another", (1, 2, 3))
    retrieve()
    monkeypatch.setattr(recompute_and_compare, "LISTS_PER_BLOCK", 1)
    read, stored_entries = [], recompute_and_compare._stored_entries

    def spy(connection, encoder_id, lists):
        entries = stored_entries(connection, encoder_id, lists)
        read.append(sorted(entries))
        return entries

    monkeypatch.setattr(recompute_and_compare, "_stored_entries", spy)
    with snapshot(library) as connection:
        list(differences(connection))
    assert len(read) > 1
    assert all(len(targets) == 1 for targets in read), read


def test_a_queued_change_is_not_reported_as_damage_to_lists(library):
    library.add("reference", "new", (1, 2, 3))
    with snapshot(library) as connection:
        (difference,) = differences(connection)
    assert difference.check == "queue"
    assert "not been processed yet: 1. Run `mirpipe retrieve`" in difference.message


def test_equal_content_with_other_ids_and_history_has_an_equal_digest(library, fresh_database):
    with snapshot(library) as connection:
        before = digests(connection)
    with fresh_database.owner.begin() as owner:
        owner.execute(text("TRUNCATE mirpipe.track, mirpipe.encoder, mirpipe.metric CASCADE"))
        owner.execute(text("TRUNCATE mirpipe.captioner, mirpipe.generator CASCADE"))
        owner.execute(text("TRUNCATE mirpipe.failure, mirpipe.run CASCADE"))
    again = SyntheticLibrary(fresh_database.app)
    fill_library(again, backwards=True)
    with snapshot(again) as connection:
        assert digests(connection) == before
    assert again.encoder_id != library.encoder_id


def test_a_change_of_content_changes_the_digest_of_its_table_only(library):
    with snapshot(library) as connection:
        before = digests(connection)
        assert set(CHANGES) == set(before)
        changed = {}
        for table, change in CHANGES.items():
            connection.execute(text(change))
            after = digests(connection)
            assert combined(after) != combined(before), table
            changed[table] = [name for name in before if before[name] != after[name]]
            connection.rollback()
    assert changed == {table: [table] for table in CHANGES}


def test_a_change_of_another_column_changes_the_digest(library):
    library.execute(CHANGES["run_ranking"])
    library.execute("UPDATE run_ranking SET low = NULL, high = NULL, interval_reason = 'one'")
    with snapshot(library) as connection:
        before = digests(connection)
        changed = {}
        for change in COLUMN_CHANGES:
            assert connection.execute(text(change)).rowcount > 0
            after = digests(connection)
            changed[change] = [name for name in before if before[name] != after[name]]
            connection.rollback()
    assert {change: set(tables) for change, tables in changed.items()} == {
        change: set(tables) for change, tables in COLUMN_CHANGES.items()
    }


def test_times_paths_and_attempts_do_not_change_the_digest(library):
    with snapshot(library) as connection:
        before = digests(connection)
        for change in NOT_CONTENT:
            assert connection.execute(text(change)).rowcount > 0
        assert digests(connection) == before
        connection.rollback()
