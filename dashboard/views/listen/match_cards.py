"""A target's nearest references by each encoder, side by side: to hear, to see, and why."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st
from markupsafe import Markup

from dashboard.components import aesthetics_rating, markup
from dashboard.components.player import player
from dashboard.components.target_picker import described
from dashboard.components.waveform_and_chroma import pictures
from mirpipe.db import queries

SIDE_BY_SIDE = 4
CHANCE = 0.085
"""Melody accuracy of unrelated pairs, as the definition's source measures it."""


@dataclass(frozen=True)
class Known:
    """What is shown of any track on the page, by its id."""

    files: Mapping[int, Sequence[queries.LiveFile]]
    aesthetics: Mapping[int, queries.Aesthetics]
    pictures: Mapping[int, queries.Picture]
    level: float
    """That all players are brought to, in dBFS."""


def side_by_side(
    answers: Sequence[queries.Match],
    depth: int,
    encoders: Mapping[str, queries.EncoderRevision],
    known: Known,
) -> None:
    """A column an encoder, a card an answer; `answers` reach as deep as ranks are told of."""
    lists: dict[str, list[queries.Match]] = defaultdict(list)
    for answer in answers:
        lists[answer.encoder].append(answer)
    names = list(lists)
    for first in range(0, len(names), SIDE_BY_SIDE):
        shown = names[first : first + SIDE_BY_SIDE]
        for encoder, column in zip(shown, st.columns(len(shown), gap="medium"), strict=True):
            with column:
                row = encoders.get(encoder)
                licence, random = (row.licence_weights, row.random) if row else ("", False)
                markup.show(markup.weights(encoder, licence, random=random))
                for answer in lists[encoder][:depth]:
                    card(answer, lists, known)


def card(answer: queries.Match, lists: Mapping[str, Sequence[queries.Match]], known: Known) -> None:
    """One answer: its numbers, its pictures, its player, and why it is here."""
    accuracy, remark = melody(answer)
    readings = [
        ("cosine", markup.number(answer.cosine, 3)),
        ("z", markup.number(answer.z, 2)),
        ("percentile", markup.number(answer.percentile, 1)),
        ("melody", accuracy),
        *aesthetics_rating.readings(known.aesthetics.get(answer.reference_id)),
    ]
    with st.container(border=True, gap="xsmall"):
        markup.show(
            Markup("<div><span class='mp-rank'>{}</span>{}</div>").format(
                answer.rank, markup.title(answer.reference)
            ),
            described(answer.reference_labels),
            markup.readings(readings),
            markup.note(remark),  # a line even where it is empty: ranks stay level across columns
            pictures(known.pictures.get(answer.reference_id), name=answer.reference),
        )
        player(
            known.files.get(answer.reference_id, []),
            name=f"{answer.encoder}, answer {answer.rank}: {answer.reference}",
            key=f"{answer.encoder} {answer.rank}",
            level=known.level,
        )
        markup.show(
            markup.folded(f"Why answer {answer.rank} of {answer.encoder}", why(answer, lists))
        )


def melody(answer: queries.Match) -> tuple[str, str]:
    """Melody accuracy as shown, and in words what keeps it from having a meaning."""
    shown = markup.number(answer.melody_accuracy, 3)
    if answer.melody_accuracy is None:
        return shown, f"No melody accuracy: {answer.melody_reason or 'not measured yet'}."
    unpitched = [
        side
        for side, voiced in (("target", answer.target_voiced), ("answer", answer.reference_voiced))
        if voiced is False
    ]
    if unpitched:
        return shown, f"Melody has no meaning here: {' and '.join(unpitched)} unpitched."
    return shown, ""


def why(answer: queries.Match, lists: Mapping[str, Sequence[queries.Match]]) -> list[str]:
    """In sentences, what speaks for an answer."""
    said = []
    if answer.z is not None:
        side = "above" if answer.z >= 0 else "below"
        said.append(
            f"Its cosine lies {markup.number(abs(answer.z), 2)} standard deviations {side} the "
            "mean of this target's cosines to the whole library."
        )
    if answer.percentile is not None:
        said.append(
            f"{markup.number(answer.percentile, 1)} % of the library's pairs are no more alike."
        )
    said += [
        f"{encoder}: {place(answer, others)}."
        for encoder, others in lists.items()
        if encoder != answer.encoder
    ]
    return said + _of_melody(answer) + _of_clap(answer)


def place(answer: queries.Match, others: Sequence[queries.Match]) -> str:
    """Where another encoder has the same reference."""
    ranks = [other.rank for other in others if other.reference_id == answer.reference_id]
    return f"rank {ranks[0]}" if ranks else f"not among its first {len(others)}"


def _of_melody(answer: queries.Match) -> list[str]:
    if answer.melodic is False:
        return []
    said = []
    for name, value, bound in (
        ("Melody accuracy", answer.melody_accuracy, answer.melody_null95),
        ("In the best transposition", answer.melody_oti, answer.melody_oti_null95),
    ):
        if value is not None and bound is not None:
            beats = "more than" if value > bound else "no more than"
            said.append(
                f"{name}: {markup.number(value, 3)}, {beats} chance (95 % of time shifts of this "
                f"pair stay at or below {markup.number(bound, 3)})."
            )
    if answer.aligned_melody is not None:
        share = markup.number(100 * answer.aligned_melody, 0)
        said.append(
            f"{share} % of the shorter one's notes are played by the other in some key and tempo "
            "(unrelated music: up to 30 %)."
        )
    return said


def _of_clap(answer: queries.Match) -> list[str]:
    if answer.clap_similarity is None:
        return []
    mark = f" ({markup.RANDOM})" if answer.clap_similarity_random else ""
    return [f"CLAP similarity: {markup.number(answer.clap_similarity, 3)}{mark}."]
