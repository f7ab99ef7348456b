"""The questions of docs/sql-cookbook.md, to begin with."""

import re

from mirpipe.settings import PROJECT

PAGE = PROJECT / "docs" / "sql-cookbook.md"
_QUESTION = re.compile(r"^## (.+?)\n.*?^```sql\n(.*?)^```", re.S | re.M)
_SECTION = re.compile(r"^(?=## )", re.M)


def questions() -> dict[str, str]:
    """Heading → query, in the order of the page; empty where the page is not here."""
    if not PAGE.is_file():
        return {}
    sections = _SECTION.split(PAGE.read_text(encoding="utf-8"))
    found = filter(None, map(_QUESTION.match, sections))
    return {one[1].strip(): one[2].strip() for one in found}
