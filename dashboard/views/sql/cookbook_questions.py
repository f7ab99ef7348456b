"""The example queries for the SQL page, read from docs/sql-cookbook.md."""

import re

from mirpipe.settings import PROJECT

PAGE = PROJECT / "docs" / "sql-cookbook.md"
_QUESTION = re.compile(r"^## (.+?)\n.*?^```sql\n(.*?)^```", re.S | re.M)
_SECTION_START = re.compile(r"^(?=## )", re.M)


def questions() -> dict[str, str]:
    """Return the query under each heading of the cookbook, in the order of the cookbook.

    Return an empty dict if the cookbook is not installed.
    """
    if not PAGE.is_file():
        return {}
    sections = _SECTION_START.split(PAGE.read_text(encoding="utf-8"))
    matches = filter(None, map(_QUESTION.match, sections))
    return {match[1].strip(): match[2].strip() for match in matches}
