"""Command lines of Airflow's own program, `airflow`, in the running interpreter."""

import sys


def airflow_command(*arguments: str) -> list[str]:
    """Return the command that runs `airflow ARGUMENTS`."""
    return [sys.executable, "-P", "-m", "airflow", *arguments]
