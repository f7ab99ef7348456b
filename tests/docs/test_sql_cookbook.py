"""Tests that run each query of the SQL cookbook on the demo library, with the read-only role."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from sqlalchemy import Connection, text

from mirpipe.db.search_index import build_search_index, search_indexes
from mirpipe.db.store import recompute_and_compare
from mirpipe.postgres.embedded import EmbeddedPostgres
from mirpipe.settings import PROJECT
from tests.support.databases import database
from tests.support.demo_library import fill_database

pytestmark = pytest.mark.slow

PAGE = (PROJECT / "docs" / "sql-cookbook.md").read_text()
MAY_BE_EMPTY = {"Which work is pending?", "Which tracks contain the same recording?"}
"""Questions whose result is empty for the demo library. The page mentions this for each one."""


@dataclass(frozen=True)
class Question:
    """A question on the page, with its heading, its queries and the documented columns."""

    heading: str
    query: str
    columns: list[str]
    words: str


def _questions(page: str) -> Iterator[Question]:
    for section in re.split(r"^## ", page, flags=re.MULTILINE)[1:]:
        heading, _, body = section.partition("\n")
        fences = {t.info.strip(): t.content for t in MarkdownIt().parse(body) if t.type == "fence"}
        promised = re.search(r"^Columns: (.*?)(?=\n\n|\Z)", body, re.MULTILINE | re.DOTALL)
        columns = re.findall(r"`(\w+)`", promised.group(1)) if promised else []
        yield Question(heading, fences["sql"], columns, body)


QUESTIONS = list(_questions(PAGE))


@pytest.fixture(scope="module")
def reader(
    embedded: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Connection]:
    """Yield a read-only connection to a database that contains the demo library."""
    with database(embedded, "cookbook") as demo:
        fill_database(tmp_path_factory.mktemp("demo"))
        with demo.reader.connect() as connection:
            for index in search_indexes(connection):
                build_search_index(index)
            yield connection


@pytest.mark.timeout(300)
@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.heading)
def test_question_is_answered_in_the_columns_that_the_page_names(
    question: Question, reader: Connection
) -> None:
    assert reader.execute(text("SELECT current_user")).scalar() == "mirpipe_read"
    with reader.begin_nested():
        answer = reader.execute(text(question.query))
        assert list(answer.keys()) == question.columns
        rows = answer.all()
    if question.heading in MAY_BE_EMPTY:
        assert "may be empty" in question.words
    else:
        assert rows


def test_search_by_vector_can_use_the_index(reader: Connection) -> None:
    (search,) = [question for question in QUESTIONS if "FROM v_embedding_1 v" in question.query]
    for way in ("seqscan", "bitmapscan", "sort"):
        reader.execute(text(f"SET LOCAL enable_{way} = off"))
    plan = "\n".join(reader.execute(text(f"EXPLAIN {search.query}")).scalars())
    assert "Order By: ((embedding)::vector(200) <=>" in plan


def test_library_that_is_asked_is_as_it_ought_to_be(reader: Connection) -> None:
    assert list(recompute_and_compare.differences(reader)) == []


def test_every_question_stands_once_and_there_are_twenty() -> None:
    headings = [question.heading for question in QUESTIONS]
    assert len(set(headings)) == len(headings) >= 20
    assert set(headings) >= MAY_BE_EMPTY


def test_page_lies_where_the_site_looks_for_it() -> None:
    assert "sql-cookbook.md" in Path(PROJECT / "mkdocs.yml").read_text()
