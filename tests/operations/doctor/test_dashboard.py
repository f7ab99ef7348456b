"""Tests for the check of who can open the dashboard."""

from pathlib import Path

import pytest

from mirpipe.operations.doctor import dashboard
from mirpipe.settings import settings


@pytest.mark.parametrize(
    ("variables", "level", "message"),
    [
        ({}, "ok", "only this machine"),
        ({"BIND": "0.0.0.0"}, "problem", "0.0.0.0 without a login"),
        ({"BIND": "0.0.0.0", "DASHBOARD_WITHOUT_LOGIN": "true"}, "warning", "everyone"),
        ({"BIND": "0.0.0.0", "DASHBOARD_USER_HEADER": "X-User"}, "ok", "header X-User"),
    ],
)
def test_the_check_says_who_can_open_the_dashboard(
    variables: dict[str, str],
    level: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, value in variables.items():
        monkeypatch.setenv(f"MIRPIPE_{name}", value)
    settings.cache_clear()
    (finding,) = dashboard.check()
    assert (finding.level, message in finding.message) == (level, True)
    assert bool(finding.remedy) == (level != "ok")


def test_a_login_with_openid_connect_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MIRPIPE_BIND", "0.0.0.0")
    settings.cache_clear()
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "secrets.toml").write_text("[auth]\n")
    (finding,) = dashboard.check()
    assert (finding.level, finding.message) == ("ok", "users log in with OpenID Connect")
