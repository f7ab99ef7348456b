"""Stores the results of listening tests, so that readers see results but no votes."""

from dataclasses import asdict

from pydantic import TypeAdapter, ValidationError

from mirpipe.db.engine import engine
from mirpipe.db.queries import listening_tests as queries
from mirpipe.db.queries.listening_tests import ListeningTest
from mirpipe.db.store import listening_tests as store
from mirpipe.listening.results import ListeningResults, listening_results


def compute_results(test: ListeningTest) -> ListeningResults:
    """Compute the results of a listening test, store them, and return them.

    If somebody withdraws meanwhile, the results are computed again, so that they never contain
    withdrawn votes. If somebody votes, or a run is published, meanwhile, the stored results count
    as outdated.
    """
    while True:
        with engine("app").connect() as connection:
            listeners = store.listener_ids(connection, test.listening_test_id)
        results = listening_results(test)
        with engine("app").begin() as connection:
            store.keep_out_withdrawals(connection)
            if listeners <= store.listener_ids(connection, test.listening_test_id):
                store.write_results(
                    connection,
                    test.listening_test_id,
                    asdict(results),
                    votes_n=test.votes_n,
                    last_vote_at=test.last_vote_at,
                    computed_run=test.latest_run,
                )
                return results
        test = queries.listening_test(test.name)


def update_results() -> int:
    """Compute the results of all tests with other votes than before, and return their number.

    If a new run was published, the results of all tests are computed, because they say how well
    metrics predict votes. Results that another version of mirpipe stored are computed, too.
    """
    outdated = [
        test
        for test in queries.listening_tests()
        if (test.votes_n or test.computed_votes_n)
        and not (
            test.is_current
            and test.computed_run == test.latest_run
            and stored_results(test) is not None
        )
    ]
    for test in outdated:
        compute_results(test)
    return len(outdated)


def stored_results(test: ListeningTest) -> ListeningResults | None:
    """Return the results of a test as they were last computed, or None if there are none.

    Results that another version of mirpipe stored in another form count as missing.
    """
    found = queries.stored_results(test.listening_test_id)
    if found is None:
        return None
    try:
        return TypeAdapter(ListeningResults).validate_python(found)
    except ValidationError:
        return None
