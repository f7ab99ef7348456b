"""The accounts that the settings name on a user's server, checked for contradictions."""

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from mirpipe.db.roles import LOGINS, Account, Role
from mirpipe.errors import ConfigurationError
from mirpipe.settings import settings

_EXAMPLE = "postgresql://user:password@host:port/database"


def setting_of(role: Role) -> str:
    """Return the name of the setting whose URL this role uses."""
    configured = settings()
    if role == "airflow":
        return "MIRPIPE_AIRFLOW_DATABASE_URL"
    if role == "owner" and configured.owner_url:
        return "MIRPIPE_OWNER_URL"
    if role == "reader" and configured.reader_url:
        return "MIRPIPE_READER_URL"
    if role == "listener" and configured.listener_url:
        return "MIRPIPE_LISTENER_URL"
    return "MIRPIPE_DATABASE_URL"


def url_of(role: Role) -> URL:
    """Return the URL that a role uses on a user's server, with the driver psycopg2.

    Raises ConfigurationError, with the name of the setting, if it is not a URL of Postgres.
    """
    configured = settings()
    text = {
        "owner": configured.owner_url,
        "reader": configured.reader_url,
        "listener": configured.listener_url,
        "app": None,
        "airflow": configured.airflow_database_url,
    }[role]
    if text is None and role != "airflow":
        text = configured.database_url
    try:
        url = make_url(text or "")
    except (ArgumentError, ValueError) as error:
        raise ConfigurationError(
            f"{setting_of(role)} is not a URL. Set it to {_EXAMPLE}."
        ) from error
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise ConfigurationError(
            f"{setting_of(role)} is a URL of {url.drivername}, but mirpipe needs Postgres. Set it "
            f"to {_EXAMPLE}."
        )
    # A URL without a driver could use another driver.
    return url.set(drivername="postgresql+psycopg2")


def accounts_in_settings() -> dict[Role, Account]:
    """Return the account of each role on a user's server; Airflow's only if it has a URL.

    Raises ConfigurationError if a URL names no login or no database, or if the URLs contradict each
    other.
    """
    roles: tuple[Role, ...] = ("owner", "app", "reader", "listener")
    if settings().airflow_database_url is not None:
        roles += ("airflow",)
    accounts = {role: _account(role) for role in roles}
    _require_one_database(accounts)
    _require_one_password_per_login(accounts)
    for role in ("owner", "app"):
        if accounts[role].login == LOGINS["reader"]:
            raise ConfigurationError(
                f"{setting_of(role)} has the login {LOGINS['reader']}, which may only read. Use "
                f"the login {LOGINS[role]}."
            )
    return accounts


def _account(role: Role) -> Account:
    url = url_of(role)
    for part, value in (("login", url.username), ("database", url.database)):
        if not value:
            raise ConfigurationError(
                f"The URL in {setting_of(role)} names no {part}. Set it to {_EXAMPLE}."
            )
    password = None if url.password is None else str(url.password)
    return Account(str(url.username), password or None, str(url.database))


def _require_one_database(accounts: dict[Role, Account]) -> None:
    database = accounts["app"].database
    for role in ("owner", "reader", "listener"):
        if accounts[role].database != database:
            raise ConfigurationError(
                f"{setting_of(role)} names the database {accounts[role].database}, but "
                f"MIRPIPE_DATABASE_URL names {database}. Use one database in both."
            )
    if "airflow" in accounts and accounts["airflow"].database == database:
        raise ConfigurationError(
            "MIRPIPE_AIRFLOW_DATABASE_URL and MIRPIPE_DATABASE_URL name the same database, "
            f"{database}. Use a database of its own for Airflow."
        )


def _require_one_password_per_login(accounts: dict[Role, Account]) -> None:
    passwords: dict[str, tuple[Role, str | None]] = {}
    for role, account in accounts.items():
        other, password = passwords.setdefault(account.login, (role, account.password))
        if password != account.password:
            raise ConfigurationError(
                f"{setting_of(other)} and {setting_of(role)} have different passwords for the "
                f"login {account.login}. Correct one of them."
            )
