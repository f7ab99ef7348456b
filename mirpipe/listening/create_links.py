"""Creates the links by which listeners reach a listening test."""

import secrets
from dataclasses import asdict
from hashlib import sha256

from mirpipe.db.engine import engine
from mirpipe.db.queries.listening_tests import ListeningTest
from mirpipe.db.store import listening_tests as store
from mirpipe.listening.adaptive_order import plan_adaptive_votes
from mirpipe.listening.design import Question, plan_votes

TOKEN_BYTES = 24
"""Number of random bytes in a token. It cannot be guessed."""


def create_tokens(test: ListeningTest, count: int) -> list[str]:
    """Add this number of listeners to a test, and return the token of each.

    In an adaptive order, the questions of a new listener depend on the votes so far. Only a hash of
    each token is stored, so a lost token cannot be shown again. Its listener then has no votes and
    changes no result.
    """
    tokens = []
    repeats = int(test.options["repeats"])
    with engine("app").begin() as connection:
        rows = store.questions_of_test(connection, test.listening_test_id)
        questions = [Question(**row) for row in rows]
        first = store.next_listener_number(connection, test.listening_test_id)
        for number in range(first, first + count):
            if test.order == "adaptive":
                votes = plan_adaptive_votes(
                    questions,
                    store.asked_votes(connection, test.listening_test_id),
                    number,
                    count=int(test.options["questions"]),
                    repeats=repeats,
                    seed=test.seed,
                )
            else:
                votes = plan_votes(questions, number, repeats=repeats)
            tokens.append(secrets.token_urlsafe(TOKEN_BYTES))
            store.add_listener(
                connection,
                test.listening_test_id,
                number,
                sheet=number % test.sheets,
                token_sha256=sha256(tokens[-1].encode()).digest(),
                votes=[asdict(vote) for vote in votes],
            )
    return tokens
