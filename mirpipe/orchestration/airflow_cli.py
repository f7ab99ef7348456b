"""Commands that run Airflow's program `airflow` with the current Python interpreter."""

import sys


def airflow_command(*arguments: str) -> list[str]:
    """Return the command that runs `airflow ARGUMENTS`."""
    return [sys.executable, "-P", "-m", "airflow", *arguments]
