"""Creates a listening test from a run."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from sqlalchemy import Connection

from mirpipe.db.engine import engine
from mirpipe.db.named_locks import hold_lock
from mirpipe.db.queries import latest_run
from mirpipe.db.queries.listening_tests import ListeningTest, listening_test, listening_tests
from mirpipe.db.store import listening_tests as store
from mirpipe.errors import ConfigurationError
from mirpipe.listening.design import Answers, Kind, Order, draw_questions

CONSENT = (
    "You will listen to short pieces of music, and say which of two is more similar to a third "
    "one, or which is better music, or how similar a piece is. Your answers are stored without "
    "your name, your address or anything else about you. You can stop at any time and continue "
    "later with the same link. You can download your answers, and you can withdraw: then they "
    "are deleted. Backups that were made before can still contain them. The answers are used to "
    "compare methods that search and generate music."
)
MIN_CONTROLS = 0.7
"""Share of the answered controls that a listener must pass for the votes to count."""


@dataclass(frozen=True)
class ListeningOptions:
    """What the command that creates a test can choose."""

    kind: Kind
    subjects: Sequence[str] = ()
    """Subjects to compare. Empty: all subjects of the run."""
    questions: int = 24
    """Number of questions per listener, without controls and repeats. Rounds are completed."""
    controls: int = 3
    """Number of targets per listener with a control. Fewer if every reference is a match of the
    other targets."""
    repeats: int = 3
    """Number of questions per listener that are asked again at the end."""
    excerpt_seconds: float = 15.0
    """Length of the excerpts, in seconds."""
    consent: str = CONSENT
    order: Order = "balanced"
    """Whether later listeners are asked more about pairs whose result is still uncertain."""


def create_test(
    name: str, run_id: int | None, options: ListeningOptions, *, seed: int
) -> ListeningTest:
    """Create a listening test about a run, and return it. `run_id` None is the latest run.

    If a test with this name, run, seed and options exists, it is returned, and nothing changes.
    Raises ConfigurationError if the name belongs to another test, or if there is no run, or too few
    answers.
    """
    stored = {key: value for key, value in asdict(options).items() if key not in _OWN_COLUMNS}
    stored["subjects"] = sorted(options.subjects)
    if options.order == "balanced":
        del stored["order"]
    if options.order == "adaptive" and options.kind == "rating":
        raise ConfigurationError(
            "A rating has no adaptive order, because each listener rates all subjects on a target. "
            "Leave out --order, or choose another --kind."
        )
    with hold_lock("report"):  # No report can publish another run meanwhile.
        run_id, is_latest = _run_of_test(run_id)
        wanted = (options.kind, run_id, seed, stored, options.excerpt_seconds, options.consent)
        for test in listening_tests():
            if test.name == name:
                return _require_equal(test, wanted)
        with engine("app").begin() as connection:
            answers = compared_answers(connection, run_id, options, seed, is_latest=is_latest)
            targets = sorted(set().union(*answers.values()))
            shuffled = np.random.default_rng(seed).permutation(targets).tolist()
            controls = store.random_references(
                connection, run_id, shuffled, count=options.controls, seed=seed
            )
            questions = draw_questions(
                options.kind,
                answers,
                questions=options.questions,
                random_references=controls,
                seed=seed,
                order=options.order,
            )
            store.add_test(
                connection,
                {
                    "name": name,
                    "kind": options.kind,
                    "run_id": run_id,
                    "seed": seed,
                    "options": stored,
                    "sheets": questions[-1].sheet + 1,
                    "excerpt_seconds": options.excerpt_seconds,
                    "min_controls": MIN_CONTROLS,
                    "consent": options.consent,
                },
                [asdict(question) for question in questions],
            )
    return listening_test(name)


_OWN_COLUMNS = {"kind", "excerpt_seconds", "consent"}
"""Options that the table stores in columns of their own."""


def _run_of_test(run_id: int | None) -> tuple[int, bool]:
    """Return the id of the run, and whether it is the latest one, as it is if `run_id` is None.

    Raises ConfigurationError if there is no such run.
    """
    latest = latest_run()
    if latest is None:
        raise ConfigurationError("There is no run yet. Run `mirpipe run` first.")
    run_id = latest.run_id if run_id is None else run_id
    if not 1 <= run_id <= latest.run_id:
        raise ConfigurationError(f"There is no run {run_id}. The latest run is {latest.run_id}.")
    return run_id, run_id == latest.run_id


def compared_answers(
    connection: Connection, run_id: int, options: ListeningOptions, seed: int, *, is_latest: bool
) -> Answers:
    """Return the answers that the test compares, by subject and target id.

    Raises ConfigurationError if the run has none of a named subject, or if only one is named.
    """
    answers: dict[str, dict[int, int]] = {}
    if options.kind != "clips":
        answers |= store.answers_of_run(connection, run_id, seed=seed)
    if options.kind != "answers":
        answers |= _clips(connection, run_id, seed, is_latest=is_latest)
    if unknown := sorted(set(options.subjects) - answers.keys()):
        raise ConfigurationError(
            f"Run {run_id} has no answers of {', '.join(unknown)}. It has those of: "
            f"{', '.join(sorted(answers)) or 'nothing'}."
        )
    if len(set(options.subjects)) == 1 and len(answers) > 1:
        raise ConfigurationError(
            "A listening test compares at least two encoders or modes, but only "
            f"{options.subjects[0]} is named. Name at least two with --subject. Run {run_id} has "
            f"answers of: {', '.join(sorted(answers))}."
        )
    return {s: found for s, found in answers.items() if s in (options.subjects or answers)}


def _clips(
    connection: Connection, run_id: int, seed: int, *, is_latest: bool
) -> dict[str, dict[int, int]]:
    """Return the clips of a run. Those of the latest run are known even without a record.

    Raises ConfigurationError if the clips of an earlier run are not recorded.
    """
    first = store.first_recorded_run(connection)
    if first is not None and run_id >= first:
        return store.clips_of_run(connection, run_id, seed=seed)
    if is_latest:
        return store.current_clips(connection, run_id, seed=seed)
    known = "" if first is None else f"a run from {first} on, or "
    raise ConfigurationError(
        f"The clips of run {run_id} are not recorded, because an older version of mirpipe "
        f"published it, or it has none. Name {known}the latest run, or use --kind answers."
    )


def _require_equal(test: ListeningTest, wanted: tuple[object, ...]) -> ListeningTest:
    stored = (test.kind, test.run_id, test.seed, test.options, test.excerpt_seconds, test.consent)
    if stored != wanted:
        raise ConfigurationError(
            f"There already is another listening test {test.name!r}, of run {test.run_id}. Choose "
            "another name with --name."
        )
    return test
