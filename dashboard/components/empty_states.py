"""Messages for pages that have nothing to show yet, with the next command to run."""

import streamlit as st

from dashboard.data import cached_queries
from dashboard.data.running_up import UP_IS_RUNNING, is_up_running
from mirpipe.db import queries

AUTOMATIC = "The pipeline runs automatically on a schedule."


def no_library() -> None:
    """Show how to add the first tracks, or that `mirpipe up` adds them."""
    if is_up_running():
        st.info(
            f"The library is empty. {UP_IS_RUNNING}: tracks appear here as soon as it has read "
            "them.",
            icon=":material/hourglass_empty:",
        )
        return
    st.info("The library is empty.", icon=":material/library_music:")
    st.markdown("To run mirpipe on your own folders on a schedule:")
    st.code(
        "mirpipe up --references ~/music/library --targets ~/music/targets",
        language=None,
        wrap_lines=True,
    )
    st.markdown("To run the steps yourself:")
    st.code(
        "mirpipe ingest ~/music/library --collection reference\n"
        "mirpipe ingest ~/music/targets --collection target\n"
        "mirpipe run",
        language=None,
        wrap_lines=True,
    )


def no_run() -> None:
    """Show how to start a run, for a library with tracks but without a run."""
    st.info("No run has finished yet, so there are no results.", icon=":material/hourglass_empty:")
    if is_up_running():
        st.markdown(f"{UP_IS_RUNNING}: there are results as soon as its first run has finished.")
        return
    st.markdown(f"{AUTOMATIC} To run all pending work now:")
    st.code("mirpipe run", language=None)


def latest_run() -> queries.Run | None:
    """Return the run whose results are shown.

    If there are no tracks or no run, show what to do, and return None. A run may have no tracks.
    """
    run = cached_queries.latest_run()
    if not cached_queries.library_counts():
        no_library()
        return None
    if run is None:
        no_run()
    return run


def no_targets() -> None:
    """Show how to add targets."""
    st.info(
        "There are no targets. A target is a track that mirpipe finds matches for.",
        icon=":material/music_note:",
    )
    st.markdown("To add targets:")
    st.code(
        "mirpipe ingest ~/music/targets --collection target\nmirpipe run",
        language=None,
        wrap_lines=True,
    )


def no_matches() -> None:
    """Show how to compute the first matches for a target."""
    st.info("There are no matches for this target yet.", icon=":material/hourglass_empty:")
    st.markdown(f"{AUTOMATIC} To run all pending work now:")
    st.code("mirpipe run", language=None)


def no_clips() -> None:
    """Show how to generate the first clips."""
    st.info("Nothing has been generated yet.", icon=":material/hourglass_empty:")
    st.markdown(f"{AUTOMATIC} To caption all targets, generate clips and score them now:")
    st.code("mirpipe generate\nmirpipe run", language=None)
    _missing_audio_of_targets()


def no_clip_scores() -> None:
    """Show how to score clips that no run has scored."""
    st.info("No run has scored the clips yet.", icon=":material/hourglass_empty:")
    st.markdown(f"{AUTOMATIC} To run all pending work now:")
    st.code("mirpipe run", language=None)


def no_clips_of_target() -> None:
    """Show how to generate clips for a target without clips."""
    st.info("Nothing has been generated for this target yet.", icon=":material/hourglass_empty:")
    st.code("mirpipe generate", language=None)
    _missing_audio_of_targets()


def _missing_audio_of_targets() -> None:
    if missing := queries.missing_audio(cached_queries.library_counts(), ("target",)):
        st.caption(missing)


def no_maps() -> None:
    """Show how to create a map if the last run created none."""
    st.info(
        "The last run created no map. A map needs at least three references. The next run that "
        "finds a change creates one.",
        icon=":material/scatter_plot:",
    )
    st.code(
        "mirpipe ingest ~/music/library --collection reference\nmirpipe run",
        language=None,
        wrap_lines=True,
    )


def no_failures() -> None:
    """Show that the failure ledger is empty."""
    st.success(
        "There are no failures: the failure ledger is empty.", icon=":material/check_circle:"
    )
