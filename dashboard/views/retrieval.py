"""Retrieval: a target's nearest references by each encoder, to read and to hear side by side."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import streamlit as st
from markupsafe import Markup

from dashboard import cached, empty, markup, rating
from dashboard.player import player
from mirpipe.db import reports

LINK = "target"
LINK_DIGITS = 16
SIDE_BY_SIDE = 4
DEPTHS = (3, 5, 10)


def choose(targets: Sequence[reports.Target]) -> reports.Target:
    """The target that the address names, else the one last looked at, else the first.

    The address holds the beginning of the content's hash, which outlives titles and databases.
    """
    by_link = {target.content_sha256[:LINK_DIGITS]: target for target in targets}
    titles = Counter(target.title for target in targets)
    wanted = st.query_params.get(LINK) or st.session_state.get("last target")
    if wanted in by_link:
        st.session_state[LINK] = wanted
    elif st.query_params.get(LINK):
        st.warning("The link names a target that is not in the library (any more).")

    def label(link: str) -> str:
        target = by_link[link]
        return target.title if titles[target.title] == 1 else f"{target.title} ({link[:6]})"

    def follow() -> None:
        st.query_params[LINK] = st.session_state[LINK]

    link = st.selectbox(
        f"Target ({len(targets):,}; type to search)",
        list(by_link),
        format_func=label,
        key=LINK,
        on_change=follow,
    )
    st.session_state["last target"] = st.query_params[LINK] = link
    return by_link[link]


def heading(
    target: reports.Target,
    files: Sequence[reports.LiveFile],
    aesthetics: reports.Aesthetics | None,
) -> None:
    """The target and its player, which stay in sight while the answers scroll."""
    with st.container(key="target-bar"):
        name, sound = st.columns([1, 1], vertical_alignment="center")
        with name:
            about = markup.title(target.title) + described(target.labels)
            if target.voiced is False:
                about += markup.note("Unpitched: no melody number of this target has a meaning.")
            markup.show(
                about, *([markup.readings(rating.readings(aesthetics))] if aesthetics else [])
            )
        with sound:
            player(files, name=f"Target: {target.title}", key="target player")


def described(labels: dict[str, str]) -> Markup:
    """A track's genre and instrument."""
    return markup.line(" · ".join(labels[k] for k in ("genre", "instrument") if labels.get(k)))


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


def encoder_head(encoder: str, known: reports.EncoderRevision | None) -> None:
    """An encoder's name, and what a reader must know of its weights."""
    mark = markup.badge(markup.RANDOM) if known and known.random else ""
    licence = (known and known.licence_weights) or "not stated"
    markup.show(
        Markup("<h3 class='mp-encoder'>{} {}</h3>").format(encoder, mark),
        markup.line(f"licence of weights: {licence}"),
    )


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
                encoder_head(encoder, known.get(encoder))
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
