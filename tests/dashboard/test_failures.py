"""What the ledger shows, filtered and downloaded."""

from tests.dashboard.filled import fail
from tests.dashboard.pages import page, written
from tests.support.databases import Database


def test_the_ledger_is_shown_filtered_and_downloaded(fresh_database: Database) -> None:
    with fresh_database.app.begin() as connection:
        for reason in ("silent", "truncated"):
            subject = f"/music/{reason} **静音**.wav"
            fail(
                connection,
                stage="ingest",
                subject=subject,
                reason=reason,
                message=f"{subject} is {reason}",
                retry=False,
            )
    app = page("failures")
    assert "no, bad input" in written(app)
    assert list(app.dataframe[0].value["reason"]) == ["silent", "truncated"]
    assert list(app.dataframe[0].value["plug-in"]) == ["", ""]
    app.multiselect(key="reason").set_value(["silent"]).run()
    app.text_input(key="search").set_value("静音").run()
    assert list(app.dataframe[0].value["what"]) == ["/music/silent **静音**.wav"]
    app.text_input(key="search").set_value("100%").run()
    assert "matches" in app.info[0].value
