"""What to do next where there is nothing to show yet."""

import streamlit as st


def library() -> None:
    """No track was ever ingested."""
    st.info("The library is empty.", icon=":material/library_music:")
    st.markdown("Point mirpipe at your own folders and let it run on a schedule:")
    st.code(
        "mirpipe up --references ~/music/library --targets ~/music/targets",
        language=None,
        wrap_lines=True,
    )
    st.markdown("or take the steps by hand:")
    st.code(
        "mirpipe ingest ~/music/library --collection reference\n"
        "mirpipe ingest ~/music/targets --collection target\n"
        "mirpipe run",
        language=None,
        wrap_lines=True,
    )


def results() -> None:
    """There are tracks, and no run has reported on them yet."""
    st.info("No run has finished yet, so there are no results.", icon=":material/hourglass_empty:")
    st.markdown("The schedule will come to it. To run everything that is pending now:")
    st.code("mirpipe run", language=None)


def targets() -> None:
    """There are references, and nothing to find neighbours for."""
    st.info("There is no target yet to search references for.", icon=":material/music_note:")
    st.code(
        "mirpipe ingest ~/music/targets --collection target\nmirpipe run",
        language=None,
        wrap_lines=True,
    )


def answers() -> None:
    """A target that no run has answered yet."""
    st.info("No run has answered this target yet.", icon=":material/hourglass_empty:")
    st.markdown("The schedule will come to it. To run everything that is pending now:")
    st.code("mirpipe run", language=None)


def clips() -> None:
    """Nothing was made of any target yet."""
    st.info("Nothing has been generated yet.", icon=":material/hourglass_empty:")
    st.markdown("The schedule will come to it. To caption every target, generate and score now:")
    st.code("mirpipe generate\nmirpipe run", language=None)


def clip_scores() -> None:
    """There are clips, and no run has reported on them yet."""
    st.info("No run has scored the clips yet.", icon=":material/hourglass_empty:")
    st.markdown("The schedule will come to it. To run everything that is pending now:")
    st.code("mirpipe run", language=None)


def clips_of_target() -> None:
    """Other targets may have clips; this one has none."""
    st.info("Nothing has been generated from this target yet.", icon=":material/hourglass_empty:")
    st.code("mirpipe generate", language=None)


def maps() -> None:
    """There is a run, and it drew no map."""
    st.info(
        "The last run drew no map: a space is drawn from three references on, by the next run that "
        "finds something changed.",
        icon=":material/scatter_plot:",
    )
    st.code(
        "mirpipe ingest ~/music/library --collection reference\nmirpipe run",
        language=None,
        wrap_lines=True,
    )


def failures() -> None:
    """A clean ledger."""
    st.success("Nothing has failed: the ledger is empty.", icon=":material/check_circle:")
