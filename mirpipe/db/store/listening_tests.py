"""Stores listening tests with their questions, and the listeners with what they are asked."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text


@dataclass(frozen=True)
class AskedVotes:
    """The votes on one pair of subjects by one criterion, of all listeners together."""

    first_subject: str
    second_subject: str | None
    criterion: str
    first_n: int
    """Number of votes for the first subject."""
    second_n: int
    neither_n: int
    planned_n: int
    """Number of votes that listeners with a link can still give."""


MAX_TARGETS = 1_000
"""Largest number of targets among which the questions are chosen."""

# The order by hash is a random sample that depends only on the seed and on the content.
_SAMPLE = "sha256(convert_to(CAST(:seed AS text), 'UTF8') || {track}.content_sha256)"
_HAS_FILE = """
    EXISTS (SELECT FROM mirpipe.track_file f
        WHERE f.track_id = {track}.track_id AND f.gone_at IS NULL) AND {track}.state = 'ok'
"""
_TARGETS = f"""
    target AS MATERIALIZED (
        SELECT t.track_id FROM mirpipe.track t
        WHERE t.collection = 'target' AND {_HAS_FILE.format(track="t")}
          AND t.track_id IN ({{answered}})
        ORDER BY {_SAMPLE.format(track="t")} LIMIT {MAX_TARGETS})
"""
_IN_RUN = "n.from_run <= :run_id AND (n.to_run IS NULL OR n.to_run > :run_id)"
_FOUND = f"n.counted_rank = 1 AND {_IN_RUN}"
_FOUND_TARGETS = _TARGETS.format(
    answered=f"SELECT n.target_id FROM mirpipe.served_neighbour n WHERE {_FOUND}"
)
_CLIP_TARGETS = _TARGETS.format(answered="SELECT target_id FROM clip")
_ANSWERS = text(f"""
    WITH {_FOUND_TARGETS}
    SELECT e.name AS subject, n.target_id, n.reference_id AS track_id
    FROM target JOIN mirpipe.served_neighbour n ON n.target_id = target.track_id
    JOIN mirpipe.encoder e USING (encoder_id) JOIN mirpipe.track r ON r.track_id = n.reference_id
    WHERE {_FOUND} AND {_HAS_FILE.format(track="r")}
    ORDER BY subject, n.target_id
""")
# If a mode has clips with several seeds, the one with the lowest seed is used.
_CLIPS = f"""
    WITH clip AS MATERIALIZED ({{clips}}), {_CLIP_TARGETS}
    SELECT DISTINCT ON (subject, c.target_id)
        concat_ws(' ', c.name, c.mode, c.guidance) AS subject, c.target_id, c.track_id
    FROM target JOIN clip c ON c.target_id = target.track_id
    JOIN mirpipe.track r ON r.track_id = c.track_id
    WHERE {_HAS_FILE.format(track="r")}
    ORDER BY subject, c.target_id, c.seed, c.template
"""
_CURRENT_CLIPS = text(
    _CLIPS.format(
        clips="""
        SELECT w.name, w.mode, w.guidance, w.seed, w.template, w.target_id, w.track_id
        FROM mirpipe.wanted_clip w JOIN mirpipe.generation g USING (generation_id)
        WHERE w.is_shown
          AND g.made_at <= (SELECT finished_at FROM mirpipe.run WHERE run_id = :run_id)
"""
    )
)
_CLIPS_OF_RUN = text(
    _CLIPS.format(
        clips="""
        SELECT r.name, g.mode, g.guidance, g.seed, g.template, g.target_id, g.track_id
        FROM mirpipe.shown_clip s JOIN mirpipe.generation g USING (generation_id)
        JOIN mirpipe.generator r USING (generator_id)
        WHERE s.from_run <= :run_id AND (s.to_run IS NULL OR s.to_run > :run_id)
"""
    )
)
_FIRST_RECORDED_RUN = text("SELECT min(from_run) FROM mirpipe.shown_clip")
_RANDOM_REFERENCE = text(f"""
    SELECT r.track_id FROM mirpipe.track r
    WHERE r.collection = 'reference' AND {_HAS_FILE.format(track="r")}
      AND NOT EXISTS (SELECT FROM mirpipe.served_neighbour n
          WHERE n.target_id = :target_id AND n.reference_id = r.track_id AND {_IN_RUN})
    ORDER BY {_SAMPLE.format(track="r")} LIMIT 1
""")
_TEST = text("""
    INSERT INTO mirpipe.listening_test
        (name, kind, run_id, seed, options, sheets, excerpt_seconds, min_controls, consent)
    VALUES (:name, :kind, :run_id, :seed, CAST(:options AS jsonb), :sheets, :excerpt_seconds,
        :min_controls, :consent)
    RETURNING listening_test_id
""")
_QUESTIONS = text("""
    INSERT INTO mirpipe.listening_question (listening_test_id, sheet, number, criterion, control,
        target_id, first_id, second_id, first_subject, second_subject)
    SELECT :test_id, sheet, number, criterion, control, target_id, first_id, second_id,
        first_subject, second_subject
    FROM jsonb_populate_recordset(
        CAST(NULL AS mirpipe.listening_question), CAST(:rows AS jsonb))
    ORDER BY sheet, number
""")
_QUESTIONS_OF_TEST = text("""
    SELECT sheet, number, criterion, control, target_id, first_id, second_id, first_subject,
        second_subject
    FROM mirpipe.listening_question WHERE listening_test_id = :test_id ORDER BY sheet, number
""")
_ASKED = text("""
    SELECT v.first_subject, v.second_subject, v.criterion,
        count(*) FILTER (WHERE v.answer = 1) AS first_n,
        count(*) FILTER (WHERE v.answer = -1) AS second_n,
        count(*) FILTER (WHERE v.answer = 0) AS neither_n,
        count(*) FILTER (WHERE v.answer IS NULL) AS planned_n
    FROM (
        SELECT DISTINCT ON (v.listener_id, v.question_id)
            q.first_subject, q.second_subject, q.criterion, v.answer
        FROM mirpipe.vote v JOIN mirpipe.listening_question q USING (question_id)
        WHERE q.listening_test_id = :test_id AND q.control IS NULL
        ORDER BY v.listener_id, v.question_id, v.position) v
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
""")
_LOCK = text("SELECT FROM mirpipe.listening_test WHERE listening_test_id = :test_id FOR UPDATE")
_NEXT_NUMBER = text("""
    SELECT coalesce(max(number) + 1, 0) FROM mirpipe.listener WHERE listening_test_id = :test_id
""")
_LISTENER = text("""
    INSERT INTO mirpipe.listener (listening_test_id, number, token_sha256)
    VALUES (:test_id, :number, :token_sha256) RETURNING listener_id
""")
_VOTES = text("""
    INSERT INTO mirpipe.vote (listener_id, position, question_id, is_swapped)
    SELECT :listener_id, v.position, q.question_id, v.is_swapped
    FROM jsonb_to_recordset(CAST(:rows AS jsonb))
        v (position integer, question integer, is_swapped boolean)
    JOIN mirpipe.listening_question q ON (q.listening_test_id, q.sheet, q.number)
        = (:test_id, :sheet, v.question)
    ORDER BY v.position
""")
_LISTENER_IDS = text("""
    SELECT listener_id FROM mirpipe.listener WHERE listening_test_id = :test_id
""")
# A withdrawal writes to this table, too, and gets its snapshot only after its own lock.
_LOCK_RESULTS = text("LOCK TABLE mirpipe.listening_result IN SHARE ROW EXCLUSIVE MODE")
_RESULTS = text("""
    INSERT INTO mirpipe.listening_result AS r
        (listening_test_id, votes_n, last_vote_at, computed_run, computed_at, results)
    VALUES (:test_id, :votes_n, :last_vote_at, :computed_run, now(), CAST(:results AS jsonb))
    ON CONFLICT (listening_test_id) DO UPDATE
    SET (votes_n, last_vote_at, computed_run, computed_at, results)
        = (excluded.votes_n, excluded.last_vote_at, excluded.computed_run, excluded.computed_at,
            excluded.results)
""")


def answers_of_run(connection: Connection, run_id: int, *, seed: int) -> dict[str, dict[int, int]]:
    """Return the best matches that count in a run: track ids by encoder and target id.

    At most `MAX_TARGETS` targets are included, which the seed chooses. Tracks without a file are
    left out.
    """
    return _by_subject(connection.execute(_ANSWERS, {"run_id": run_id, "seed": seed}))


def clips_of_run(connection: Connection, run_id: int, *, seed: int) -> dict[str, dict[int, int]]:
    """Return the clips that are recorded as results of a run: track ids by mode and target id.

    A mode is named with its generator and guidance. The targets are chosen as in `answers_of_run`.
    """
    return _by_subject(connection.execute(_CLIPS_OF_RUN, {"run_id": run_id, "seed": seed}))


def current_clips(connection: Connection, run_id: int, *, seed: int) -> dict[str, dict[int, int]]:
    """Return the clips that the next report publishes and that are not newer than a run.

    They are returned as by `clips_of_run`.
    """
    return _by_subject(connection.execute(_CURRENT_CLIPS, {"run_id": run_id, "seed": seed}))


def first_recorded_run(connection: Connection) -> int | None:
    """Return the first run whose clips are recorded, or None if there is none."""
    found: int | None = connection.execute(_FIRST_RECORDED_RUN).scalar_one()
    return found


def random_references(
    connection: Connection, run_id: int, target_ids: Iterable[int], *, count: int, seed: int
) -> list[tuple[int, int]]:
    """Return a random reference for each of the first `count` targets, as (target, reference).

    It is not one of the target's matches in the run. A target without such a reference is left out,
    and the next one takes its place.
    """
    pairs: list[tuple[int, int]] = []
    for target_id in target_ids:
        if len(pairs) == count:
            break
        values = {"run_id": run_id, "target_id": target_id, "seed": f"{seed} {target_id}"}
        found = connection.execute(_RANDOM_REFERENCE, values).scalar_one_or_none()
        if found is not None:
            pairs.append((target_id, int(found)))
    return pairs


def add_test(
    connection: Connection, test: dict[str, Any], questions: Sequence[dict[str, Any]]
) -> None:
    """Store a listening test and its questions, both as values by column name."""
    values = test | {"options": json.dumps(test["options"])}
    test_id = connection.execute(_TEST, values).scalar_one()
    connection.execute(_QUESTIONS, {"test_id": test_id, "rows": json.dumps(questions)})


def questions_of_test(connection: Connection, test_id: int) -> list[dict[str, Any]]:
    """Return the questions of a test as values by column name, sorted by sheet and number."""
    rows = connection.execute(_QUESTIONS_OF_TEST, {"test_id": test_id}).mappings()
    return [dict(row) for row in rows]


def asked_votes(connection: Connection, test_id: int) -> list[AskedVotes]:
    """Return the given and planned votes on each pair of subjects, of all listeners together.

    Repeats do not count. Votes of careless listeners do, although the results leave them out.
    """
    return [
        AskedVotes(**row) for row in connection.execute(_ASKED, {"test_id": test_id}).mappings()
    ]


def next_listener_number(connection: Connection, test_id: int) -> int:
    """Return the number of the next listener. Until the transaction ends, no other can be added."""
    connection.execute(_LOCK, {"test_id": test_id})
    return int(connection.execute(_NEXT_NUMBER, {"test_id": test_id}).scalar_one())


def add_listener(
    connection: Connection,
    test_id: int,
    number: int,
    *,
    sheet: int,
    token_sha256: bytes,
    votes: Sequence[dict[str, Any]],
) -> None:
    """Store a listener with the questions of a sheet: position, question number, is_swapped."""
    listener = {"test_id": test_id, "number": number, "token_sha256": token_sha256}
    listener_id = connection.execute(_LISTENER, listener).scalar_one()
    connection.execute(
        _VOTES,
        {
            "listener_id": listener_id,
            "test_id": test_id,
            "sheet": sheet,
            "rows": json.dumps(votes),
        },
    )


def listener_ids(connection: Connection, test_id: int) -> set[int]:
    """Return the ids of the listeners who have a link and have not withdrawn. No id is reused."""
    return set(connection.execute(_LISTENER_IDS, {"test_id": test_id}).scalars())


def keep_out_withdrawals(connection: Connection) -> None:
    """Wait until no listener is being withdrawn. Until the transaction ends, nobody can withdraw.

    A withdrawal that waits for this deletes the results that the transaction writes.
    """
    connection.execute(_LOCK_RESULTS)


def write_results(
    connection: Connection,
    test_id: int,
    results: dict[str, Any],
    *,
    votes_n: int,
    last_vote_at: datetime | None,
    computed_run: int,
) -> None:
    """Store the results of a test, which were computed from these votes, as of this run."""
    values = {
        "test_id": test_id,
        "votes_n": votes_n,
        "last_vote_at": last_vote_at,
        "computed_run": computed_run,
        "results": json.dumps(results, allow_nan=False),
    }
    connection.execute(_RESULTS, values)


def _by_subject(rows: Iterable[Any]) -> dict[str, dict[int, int]]:
    answers: dict[str, dict[int, int]] = {}
    for row in rows:
        answers.setdefault(row.subject, {})[row.target_id] = row.track_id
    return answers
