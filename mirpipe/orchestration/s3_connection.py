"""Gives stages the S3 login of an Airflow connection, as environment variables.

Airflow stores the connection encrypted, or reads it from a secrets manager, and hides its secrets
in the logs of tasks.
"""

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from mirpipe.errors import ConfigurationError
from mirpipe.settings import settings

_EXTRAS = {
    "aws_session_token": "AWS_SESSION_TOKEN",
    "region_name": "AWS_REGION",
    "endpoint_url": "AWS_ENDPOINT_URL",
}

_KEPT = ("AWS_REGION", "AWS_ENDPOINT_URL")
"""Variables that are used if the connection states no region or no endpoint."""
_ROLE = ("AWS_ROLE_", "AWS_WEB_IDENTITY_", "AWS_CONTAINER_")
"""First parts of the variables with the role of the machine, for a connection without a login."""


def with_s3_login(environment: dict[str, str]) -> dict[str, str]:
    """Return the environment with the login of the connection in the settings, if there is one.

    Nothing of another login is kept. Of the AWS_ variables, only `AWS_REGION`, `AWS_ENDPOINT_URL`
    and the role of the machine are kept. Raises ConfigurationError if the connection does not exist
    or has options that are not supported.
    """
    name = settings().s3_connection
    if name is None:
        return environment
    try:
        connection = Connection.get(name)
    except AirflowNotFoundException:
        raise ConfigurationError(
            f"Airflow has no connection {name!r}. Add it with the type aws, or unset "
            "MIRPIPE_S3_CONNECTION."
        ) from None
    extra = connection.extra_dejson
    if unknown := sorted(extra.keys() - _EXTRAS):
        raise ConfigurationError(
            f"The Airflow connection {name!r} has options that mirpipe cannot use: "
            f"{', '.join(unknown)}. Supported are {', '.join(_EXTRAS)}."
        )
    variables = {
        "AWS_ACCESS_KEY_ID": connection.login,
        "AWS_SECRET_ACCESS_KEY": connection.password,
        "AWS_SESSION_TOKEN": extra.get("aws_session_token"),
    }
    kept = {
        variable: value
        for variable, value in environment.items()
        if not variable.startswith("AWS_") or variable in _KEPT or variable.startswith(_ROLE)
    }
    variables |= {_EXTRAS[option]: str(value) for option, value in extra.items()}
    return kept | {variable: value for variable, value in variables.items() if value}
