"""Simulated listeners who vote through the functions of the database, as the voting pages do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine, Row, text

from tests.support.databases import Database

_TRACKS = text("""
    SELECT q.control, q.target_id, q.first_subject, q.second_subject, v.is_swapped,
        q.second_id IS NULL AS is_rating
    FROM mirpipe.listener l JOIN mirpipe.vote v USING (listener_id)
    JOIN mirpipe.listening_question q USING (question_id)
    WHERE l.token_sha256 = sha256(convert_to(:token, 'UTF8')) AND v.position = :position
""")


@dataclass(frozen=True)
class Engines:
    """Connections by the two roles that a simulated listener needs."""

    app: Engine
    listener: Engine


def vote_all(
    database: Database | Engines,
    token: str,
    strengths: Mapping[str, float],
    *,
    seed: int,
    careless: bool = False,
    always_left: bool = False,
    stop_after: int | None = None,
) -> None:
    """Answer the questions of a link by strengths with noise, at random, or always for the left."""
    random = np.random.default_rng(seed)
    with database.listener.begin() as listener, database.app.connect() as app:
        listener.execute(text("SELECT mirpipe.listener_consent(:token)"), {"token": token})
        answered = 0
        while answered != stop_after and (position := _next(listener, token)) is not None:
            row = app.execute(_TRACKS, {"token": token, "position": position}).one()
            answer = 1
            if not always_left:
                answer = _answer(row, strengths, random, careless=careless)
            vote = text("SELECT mirpipe.listener_vote(:token, :position, :answer)")
            values = {"token": token, "position": position, "answer": answer}
            assert listener.execute(vote, values).scalar_one()
            answered += 1


def _next(listener: Connection, token: str) -> int | None:
    query = text("SELECT position FROM mirpipe.listener_question(:token)")
    return listener.execute(query, {"token": token}).scalar_one_or_none()


def _answer(
    row: Row[Any], strengths: Mapping[str, float], random: np.random.Generator, *, careless: bool
) -> int:
    """Return the answer as a listener gives it: 1 for the left track, or a rating."""
    if row.is_rating:
        if careless:
            return int(random.integers(1, 6))
        level = {"copy": 9.0, "random": -9.0}.get(row.control, 0.0)
        level += strengths.get(row.first_subject, 0.0)
        return int(np.clip(round(3 + level + random.normal(0, 0.7)), 1, 5))
    if careless:
        return int(random.integers(-1, 2))
    if row.control:
        preference = 9.0
    else:
        preference = strengths[row.first_subject] - strengths[row.second_subject]
    preference += random.logistic()
    answer = 0 if abs(preference) < 0.3 else int(np.sign(preference))
    return -answer if row.is_swapped else answer
