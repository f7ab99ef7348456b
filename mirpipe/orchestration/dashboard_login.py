"""Whether visitors of the dashboard must log in, and whether the settings allow a start."""

import tomllib
from ipaddress import ip_address
from pathlib import Path

from mirpipe.errors import ConfigurationError
from mirpipe.settings import PROJECT, Settings

REMEDY = (
    "Listen on 127.0.0.1, or set up a login: a section [auth] in .streamlit/secrets.toml (OpenID "
    "Connect), or MIRPIPE_DASHBOARD_USER_HEADER (a proxy that logs users in). To show the "
    "dashboard to everyone who can reach it, set MIRPIPE_DASHBOARD_WITHOUT_LOGIN=true. "
    "docs/how-to/share-dashboard.md describes each way."
)


def is_local(address: str | None) -> bool:
    """Return whether a server with this address can be reached from this machine only.

    Without an address, Streamlit listens on all network interfaces.
    """
    if address is None:
        return False
    if address == "localhost" or address.startswith("unix://"):
        return True
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def has_openid_connect() -> bool:
    """Return whether a secrets file contains the section with which Streamlit logs users in.

    Raises ConfigurationError if a secrets file cannot be read.
    """
    # Streamlit looks for its secrets in these folders if `mirpipe up` starts the dashboard.
    folders = (Path.home(), PROJECT, PROJECT / "dashboard")
    files = [folder / ".streamlit" / "secrets.toml" for folder in folders]
    return any("auth" in _read(file) for file in files if file.exists())


def login_problem(settings: Settings, *, address: str | None, openid_connect: bool) -> str | None:
    """Return why the dashboard must not be shown at this address, with the remedy, or None."""
    has_login = openid_connect or settings.dashboard_user_header
    if has_login or settings.dashboard_without_login or is_local(address):
        return None
    where = f"at {address}" if address else "on all network interfaces"
    return (
        f"The dashboard would listen {where}, where others can reach it without logging in. "
        f"{REMEDY}"
    )


def require_login(settings: Settings) -> None:
    """Raise ConfigurationError if others could reach the dashboard without a login.

    This concerns a dashboard that listens on the configured address.
    """
    openid_connect = has_openid_connect()
    problem = login_problem(settings, address=settings.bind, openid_connect=openid_connect)
    if problem is not None:
        raise ConfigurationError(problem)


def _read(file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"Cannot read {file} ({error}). Correct or delete the file."
        ) from error
