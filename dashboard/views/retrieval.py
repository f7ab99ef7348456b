"""Retrieval: a target's nearest references by each encoder, to read and to hear side by side."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import streamlit as st
from markupsafe import Markup

from dashboard import cached, empty, markup, rating
from dashboard.player import player
from dashboard.target import choose, described, heading
from mirpipe.db import reports

SIDE_BY_SIDE = 4
DEPTHS = (3, 5, 10)


def melody(answer: reports.Answer) -> tuple[str, str]:
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


def card(
    answer: reports.Answer,
    files: Sequence[reports.LiveFile],
    aesthetics: reports.Aesthetics | None,
) -> None:
    """One answer: its numbers and its player."""
    accuracy, remark = melody(answer)
    readings = [
        ("cosine", markup.number(answer.cosine, 3)),
        ("z", markup.number(answer.z, 2)),
        ("percentile", markup.number(answer.percentile, 1)),
        ("melody", accuracy),
        *rating.readings(aesthetics),
    ]
    with st.container(border=True, gap="xsmall"):
        markup.show(
            Markup("<div><span class='mp-rank'>{}</span>{}</div>").format(
                answer.rank, markup.title(answer.reference)
            ),
            described(answer.reference_labels),
            markup.readings(readings),
            markup.note(remark),  # a line even where it is empty: ranks stay level across columns
        )
        name = f"{answer.encoder}, answer {answer.rank}: {answer.reference}"
        player(files, name=name, key=f"{answer.encoder} {answer.rank}")


def side_by_side(
    run: reports.Run,
    answers: Sequence[reports.Answer],
    aesthetics: Mapping[int, reports.Aesthetics],
) -> None:
    """A column an encoder, a card an answer."""
    lists: dict[str, list[reports.Answer]] = defaultdict(list)
    for answer in answers:
        lists[answer.encoder].append(answer)
    known = {row.encoder: row for row in cached.encoders(cached.key(run)) if row.serving}
    files = reports.live_files([answer.reference_id for answer in answers])
    names = list(lists)
    for first in range(0, len(names), SIDE_BY_SIDE):
        shown = names[first : first + SIDE_BY_SIDE]
        for encoder, column in zip(shown, st.columns(len(shown), gap="medium"), strict=True):
            with column:
                row = known.get(encoder)
                licence, random = (row.licence_weights, row.random) if row else ("", False)
                markup.show(markup.weights(encoder, licence, random=random))
                for answer in lists[encoder]:
                    reference_id = answer.reference_id
                    card(answer, files.get(reference_id, []), aesthetics.get(reference_id))


def main() -> None:
    """The page, as far as there is something to show."""
    st.title("Retrieval", anchor=False)
    run = reports.latest_run()
    if run is None:
        if cached.library():
            empty.results()
        else:
            empty.library()
        return
    targets = cached.targets(cached.key(run))
    if not targets:
        empty.targets()
        return
    pick, depth = st.columns([3, 1], vertical_alignment="bottom")
    with pick:
        target = choose(targets)
    with depth:
        k = st.segmented_control(
            "Answers", DEPTHS, default=5, key="k", bind="query-params", required=True
        )
    answers = cached.answers(cached.key(run), target.track_id, k or 5)
    aesthetics = reports.aesthetics([target.track_id, *(row.reference_id for row in answers)])
    files = reports.live_files([target.track_id]).get(target.track_id, [])
    heading(target, files, aesthetics.get(target.track_id))
    if not answers:
        empty.answers()
        return
    st.caption(
        "Cosines of different encoders are not comparable; z is in standard deviations above this "
        "target's cosines to the whole library. Percentile: share of library pairs that are less "
        "alike. Melody: share of frames with the same pitch class, by chance about 0.085."
    )
    rating.explain(list(aesthetics.values()))
    side_by_side(run, answers, aesthetics)


main()
