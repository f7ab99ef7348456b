"""Tests that the first statement ends at the right semicolon."""

from hypothesis import given
from hypothesis import strategies as st

from mirpipe.db.queries.first_statement import first_statement

PIECES = st.sampled_from(
    [
        "SELECT 1",
        " ",
        "';'",
        "'it''s;'",
        r"E'\';'",
        '";"',
        '";"";"',
        "$$;'$$",
        "$tag$;$$;$tag$",
        "-- ;'\n",
        "/* ;' */",
        "/* ; /* ; */ ; */",
        " x$1$ ",
        "é",
    ]
)


@given(st.lists(PIECES), st.text(alphabet="; \nx'\"$-/*"))
def test_semicolons_inside_strings_names_and_comments_end_no_statement(
    pieces: list[str], rest: str
) -> None:
    statement = " ".join(pieces)
    assert first_statement(statement) == statement
    assert first_statement(f"{statement};{rest}") == statement
