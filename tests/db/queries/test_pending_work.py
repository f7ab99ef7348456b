"""The stages of pending work are those of the view."""

import re
from typing import get_args

from mirpipe.db.queries.pending_work import PendingStage
from mirpipe.db.schema_files import MIGRATIONS

VIEW = MIGRATIONS / "views/v_pending.sql"


def test_the_list_of_stages_contains_each_stage_of_the_view() -> None:
    found = re.findall(r"^SELECT '([a-z ]+)'", VIEW.read_text(), flags=re.MULTILINE)
    assert set(found) == set(get_args(PendingStage))
