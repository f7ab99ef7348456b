"""What has to be there before separate Airflow processes start: `python -m` this, once."""

from airflow.models.pool import Pool
from airflow.utils.db import upgradedb

from mirpipe.db.migrate import migrate
from mirpipe.orchestration.airflow_home import admin_password
from mirpipe.orchestration.pools import pools
from mirpipe.settings import Settings, settings


def prepare(chosen: Settings) -> None:
    """Have both schemas at head, every pool with its slots, and the password of Airflow's admin.

    Airflow's own database is the one that its environment names. Safe to run again, and needed
    after every update and every change of slots.
    """
    migrate()
    print("mirpipe's schema is up to date", flush=True)
    upgradedb()
    print("Airflow's metadata are up to date", flush=True)
    for name, slots in pools().items():
        Pool.create_or_update_pool(name, slots, "mirpipe", include_deferred=False)
    admin_password(chosen)
    print("Airflow has its pools and its user", flush=True)


if __name__ == "__main__":
    prepare(settings())
