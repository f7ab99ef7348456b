"""Check that others can open the dashboard only after a login."""

from collections.abc import Iterator

from mirpipe.operations.doctor.finding import Finding, ok, problem, warning
from mirpipe.orchestration.dashboard_login import (
    REMEDY,
    has_openid_connect,
    is_local,
    login_problem,
)
from mirpipe.settings import settings


def check() -> Iterator[Finding]:
    """Check who can open a dashboard that `mirpipe up` starts."""
    configured = settings()
    openid_connect = has_openid_connect()
    if login_problem(configured, address=configured.bind, openid_connect=openid_connect):
        message = f"the dashboard would listen on {configured.bind} without a login"
        yield problem("dashboard", message, REMEDY)
    elif header := configured.dashboard_user_header:
        yield ok("dashboard", f"a proxy passes the user's name in the header {header}")
    elif openid_connect:
        yield ok("dashboard", "users log in with OpenID Connect")
    elif is_local(configured.bind):
        yield ok("dashboard", "only this machine can reach it")
    else:
        message = f"everyone who can reach {configured.bind} can open it without a login"
        yield warning("dashboard", message, "unset MIRPIPE_DASHBOARD_WITHOUT_LOGIN")
