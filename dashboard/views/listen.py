"""Listen: a target beside each encoder's answers and each mode's clips, all at one level."""

from collections.abc import Sequence

import streamlit as st

from dashboard import answers, cached, clips, empty, markup, rating
from dashboard.answers import CHANCE, Known
from dashboard.pictures import pictures
from dashboard.player import common_level
from dashboard.target import choose, heading
from mirpipe.db import reports

DEPTHS = (1, 3, 5, 10)
DEEPEST = DEPTHS[-1]
PARTS = ("answers", "clips")


def nearest(run: reports.Run, found: Sequence[reports.Answer], depth: int, known: Known) -> None:
    """The encoders' answers."""
    st.subheader("Nearest references", anchor=False)
    if not found:
        empty.answers()
        return
    st.caption(
        "Cosines of different encoders are not comparable; z is in standard deviations above this "
        "target's cosines to the whole library. Percentile: share of library pairs that are no "
        f"more alike. Melody: share of frames with the same pitch class, by chance about {CHANCE}."
    )
    serving = {row.encoder: row for row in cached.encoders(cached.key(run)) if row.serving}
    answers.side_by_side(found, depth, serving, known)


def made_of(
    run: reports.Run, target: reports.Target, made: Sequence[reports.Generation], known: Known
) -> None:
    """The generators' clips."""
    st.subheader("Made of this target", anchor=False)
    if not made:
        empty.clips_of_target()
        return
    serving = [row for row in cached.encoders(cached.key(run)) if row.serving]
    random = {f"cosine {row.encoder}" for row in serving if row.random}
    clips.side_by_side(target, made, reports.generation_scores(target.track_id), random, known)
    licences = [f"{row.encoder}: {row.licence_weights or 'not stated'}" for row in serving]
    markup.show(markup.line(f"Licences of the weights behind the cosines: {'; '.join(licences)}"))


def page(run: reports.Run, targets: Sequence[reports.Target]) -> None:
    """A chosen target and what belongs to it."""
    pick, part, depth = st.columns([3, 1.2, 1.2], vertical_alignment="bottom")
    with pick:
        target = choose(targets)
    with part:
        shown = st.segmented_control(
            "Show",
            PARTS,
            default=list(PARTS),
            selection_mode="multi",
            key="show",
            bind="query-params",
        )
    with depth:
        k = st.segmented_control(
            "Answers", DEPTHS, default=3, key="k", bind="query-params", required=True
        )
    found = cached.answers(cached.key(run), target.track_id, DEEPEST) if "answers" in shown else []
    made = reports.generations(target.track_id) if "clips" in shown else []
    heard = [answer.reference_id for answer in found if answer.rank <= (k or 3)]
    tracks = [target.track_id, *dict.fromkeys([*heard, *(clip.track_id for clip in made)])]
    files = reports.live_files(tracks)
    level = common_level(files.values())
    known = Known(files, reports.aesthetics(tracks), reports.pictures(tracks), level)
    drawn = pictures(known.pictures.get(target.track_id), name=target.title)
    heading(
        target,
        files.get(target.track_id, []),
        known.aesthetics.get(target.track_id),
        drawn,
        level=level,
    )
    st.caption(
        f"Every player is turned down to the quietest track's level ({markup.number(level, 1)} "
        "dBFS), by as many dB as stand above it. Pictures: outline, and below it how often each "
        "pitch class is strongest, from C at the bottom to B on top."
    )
    rating.explain(list(known.aesthetics.values()))
    if "answers" in shown:
        nearest(run, found, k or 3, known)
    if "clips" in shown:
        made_of(run, target, made, known)


def main() -> None:
    """The page, as far as there is something to show."""
    st.title("Listen", anchor=False)
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
    page(run, targets)


main()
