"""Page of listening tests: what listeners prefer, how well they agree, and which metrics agree."""

import shlex
from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd
import streamlit as st

from dashboard.components import answer, markup, tables
from dashboard.components.csv_download import download_button
from dashboard.components.number_format import format_local_time
from dashboard.data import current_state
from dashboard.views.listening import result_tables, strength_chart
from mirpipe.db.queries.listening_tests import ListeningTest, listening_tests
from mirpipe.db.queries.sentence_parts import counted
from mirpipe.db.queries.track_names import names_of_tracks
from mirpipe.listening import result_sentences as words
from mirpipe.listening.results import MIN_LISTENERS_OF_TARGETS, CriterionResult, ListeningResults
from mirpipe.listening.stored_results import stored_results


def no_tests() -> None:
    """Show how to make the first listening test."""
    st.info("No listening test was made yet.", icon=":material/how_to_vote:")
    st.markdown("A listening test asks people which answers are better. To make one:")
    st.code(
        "mirpipe listening create --kind answers\n"
        "mirpipe listening link answers-runN --count 20\n"
        "mirpipe listening serve",
        language=None,
        wrap_lines=True,
    )


def choose_test(tests: Sequence[ListeningTest]) -> ListeningTest:
    """Draw a selector, and return the chosen test. By default, this is the newest one."""
    by_name = {test.name: test for test in tests}
    if st.session_state.get("test") not in by_name:
        st.session_state.pop("test", None)
    return by_name[st.selectbox("Listening test", list(by_name), key="test", bind="query-params")]


def missing_results(test: ListeningTest, results: ListeningResults | None) -> None:
    """Show that the results are not computed yet, or which votes they do not contain."""
    name = shlex.quote(test.name)
    command = f"mirpipe listening results {name}"
    if not test.links_n:
        st.info("Nobody has a link to this test yet. To make links:", icon=":material/link:")
        st.code(f"mirpipe listening link {name} --count 20", language=None)
    elif results is None or test.computed_at is None:
        st.info(
            f"{counted(test.votes_n, 'vote')} of {test.asked_n:,} were given. The next report "
            "computes the results. To compute them now:",
            icon=":material/hourglass_empty:",
        )
        st.code(command, language=None)
    if results is None or test.computed_at is None:
        return
    st.caption(
        f"Computed {format_local_time(test.computed_at)} from "
        f"{counted(test.computed_votes_n or 0, 'vote')}, controls and repeats included."
    )
    if not test.is_current:
        st.info(
            f"The votes have changed since then: there are {counted(test.votes_n, 'vote')} now. "
            "The next report computes the results again. To compute them now:",
            icon=":material/update:",
        )
        st.code(command, language=None)


def criterion_section(results: ListeningResults, criterion: CriterionResult) -> None:
    """Draw the results on one criterion as tables."""
    st.header(words.criterion_title(results, criterion), anchor=False)
    st.markdown(words.agreement_sentence(criterion))
    if not criterion.subjects:
        return
    name = criterion.criterion
    has_ratings = results.kind == "rating"
    markup.show(result_tables.subject_table(criterion, has_ratings=has_ratings))
    st.caption(f"{words.STRENGTHS_REMARK[0].upper()}{words.STRENGTHS_REMARK[1:]}.")
    download_button(criterion.subjects, name=f"Strengths {name}")
    st.subheader("Comparisons", anchor=False)
    markup.show(result_tables.comparison_table(criterion))
    st.caption(f"{words.COMPARISONS_REMARK[0].upper()}{words.COMPARISONS_REMARK[1:]}.")
    download_button(criterion.comparisons, name=f"Comparisons {name}")
    if criterion.metrics:
        st.subheader("How well metrics predict the votes", anchor=False)
        markup.show(result_tables.metric_table(criterion))
        st.caption(
            f"{words.METRICS_REMARK[0].upper()}{words.METRICS_REMARK[1:]}. "
            f"{words.choice_sentences(results, criterion)}"
        )
        download_button(
            [{"metric": each.metric} | asdict(each.prediction) for each in criterion.metrics],
            name=f"Metrics {name}",
        )
    with st.expander("Votes on each target"):
        if criterion.targets:
            target_table(criterion)
        else:
            st.caption(f"Shown as soon as {MIN_LISTENERS_OF_TARGETS} listeners count.")


def target_table(criterion: CriterionResult) -> None:
    """Draw the votes on each target, with links to the tracks."""
    rows = criterion.targets
    ids = {i for row in rows for i in (row.target_id, row.first_id, row.second_id)}
    names = current_state.read(names_of_tracks, sorted(ids))
    columns: dict[str, list[object]] = {
        "target": [names.get(row.target_id, "") for row in rows],
        "first": [row.first for row in rows],
        "first track": [names.get(row.first_id, "") for row in rows],
        "second": [row.second for row in rows],
        "second track": [names.get(row.second_id, "") for row in rows],
        "for the first": [row.first_n for row in rows],
        "for the second": [row.second_n for row in rows],
        "for neither": [row.neither_n for row in rows],
    }
    tables.sortable_table(
        pd.DataFrame(columns),
        name=f"Votes on {criterion.criterion}",
        tracks=tables.track_ids(
            rows, **{"target": "target_id", "first track": "first_id", "second track": "second_id"}
        ),
    )


def test_section(tests: Sequence[ListeningTest]) -> None:
    """Draw a table of all listening tests."""
    st.header("Which listening tests are there?", anchor=False)
    markup.show(result_tables.test_table(tests))
    columns = ("name", "kind", "run_id", "links_n", "listeners_n", "complete_n", "votes_n")
    download_button(
        pd.DataFrame([{name: getattr(test, name) for name in columns} for test in tests]),
        name="Listening tests",
    )


def main() -> None:
    """Draw the page, or how to make a test if there is none."""
    st.title("Listening tests", anchor=False)
    tests = current_state.read(listening_tests)
    if not tests:
        no_tests()
        return
    test = choose_test(tests)
    results = current_state.read(stored_results, test)
    if results is not None:
        answer.show(*words.listening_answer(results))
    missing_results(test, results)
    if results is not None:
        strength_chart.show(results)
        st.header("How carefully did people listen?", anchor=False)
        markup.show(markup.sentence("{}", " ".join(words.listener_sentences(results))))
        for criterion in results.criteria:
            criterion_section(results, criterion)
    test_section(tests)


main()
