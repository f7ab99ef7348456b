"""Registering plug-in revisions from several processes and with random weights."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import Connection, text

from mirpipe import registry
from mirpipe.db.named_locks import lock_until_transaction_ends
from mirpipe.db.store import plugin_revisions
from mirpipe.music import features
from mirpipe.music.features.melody_pitch_classes import MELODY
from mirpipe.specs import TrackMetricSpec
from tests.support.databases import Database
from tests.support.synthetic_library import SPEC
from tests.support.waiting import eventually, sessions_waiting

RATER = TrackMetricSpec(
    *("rater", 1, "randomised_trees.onnx", "0" * 64, 16000, 16000, ("nice", "loud"), 0, 1, ""),
    *("MIT", "MIT", "nobody"),
)


def metric(connection: Connection) -> int:
    return plugin_revisions.register_metric(connection, MELODY, "0123456789abcdef")


def captioner(connection: Connection) -> int:
    return plugin_revisions.register_captioner(
        connection, registry.CAPTIONERS.spec("features"), "01234567"
    )


def generator(connection: Connection) -> int:
    return plugin_revisions.register_generator(
        connection, registry.GENERATORS.spec("resynth"), "01234567"
    )


@pytest.mark.parametrize("register", [metric, captioner, generator])
def test_two_that_register_the_same_take_turns(fresh_database: Database, register) -> None:
    def other() -> int:
        with fresh_database.app.begin() as connection:
            return register(connection)

    with ThreadPoolExecutor(1) as pool:
        with fresh_database.app.begin() as connection:
            lock_until_transaction_ends(connection, "register")
            second = pool.submit(other)
            eventually(lambda: second.done() or sessions_waiting(fresh_database.app))
            assert not second.done()
            first = register(connection)
        assert second.result(timeout=30) == first


@pytest.mark.parametrize("register", [metric, captioner, generator])
def test_registering_again_takes_no_id(fresh_database: Database, register) -> None:
    table = register.__name__
    for _ in range(5):
        with fresh_database.app.begin() as connection:
            plugin_id = register(connection)
    with fresh_database.owner.connect() as connection:
        last = connection.scalar(
            text(f"SELECT last_value FROM mirpipe.{table}_{table}_id_seq"),
        )
    assert last == plugin_id


@pytest.mark.parametrize("is_random", [False, True])
def test_random_weights_are_stored_as_registered_whatever_the_checkpoint_is_called(
    fresh_database: Database, is_random: bool
) -> None:
    checkpoint = "weights.onnx" if is_random else "random_forest.onnx"
    encoder = replace(SPEC, checkpoint=checkpoint, is_random=is_random)
    words = replace(registry.CAPTIONERS.spec("features"), is_random=is_random)
    music = replace(registry.GENERATORS.spec("resynth"), is_random=is_random)
    rater = replace(RATER, checkpoint=checkpoint, is_random=is_random)
    with fresh_database.app.begin() as app:
        plugin_revisions.register_encoder(app, encoder, "r1")
        plugin_revisions.register_captioner(app, words, "r1")
        plugin_revisions.register_generator(app, music, "r1")
        plugin_revisions.register_track_metric(app, rater, "r1")
        [configured] = plugin_revisions.configured_encoders(app).values()
        plugin_revisions.register_metric(
            app, replace(MELODY, name="similarity"), "r1", encoder=configured
        )
        plugin_revisions.register_metric(app, MELODY, "r1")
        query = "SELECT name, is_random FROM mirpipe.metric ORDER BY name"
        assert dict(tuple(row) for row in app.execute(text(query))) == {
            "loud": is_random,
            "melody": False,
            "nice": is_random,
            "similarity": is_random,
        }
        for table in ("encoder", "captioner", "generator"):
            query = f"SELECT is_random FROM mirpipe.{table}"
            assert app.execute(text(query)).scalar_one() is is_random, table


def test_random_weights_do_not_change_the_revision() -> None:
    assert registry.revision(SPEC) == registry.revision(replace(SPEC, is_random=True))


def test_a_change_of_the_decoded_samples_changes_every_revision(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def revisions() -> set[str]:
        single_track_metrics = {registry.metric_revision(spec) for spec in (features.SPEC, MELODY)}
        return {registry.revision(SPEC)} | single_track_metrics

    before = revisions()
    monkeypatch.setattr(registry, "DECODING_VERSION", registry.DECODING_VERSION + 1)
    assert not before & revisions()
