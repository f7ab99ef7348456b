"""What DAGs announce to each other: a DAG waits for an asset, never for another DAG."""

from airflow.sdk import Asset

TRACKS = Asset("tracks")
"""The library changed: tracks came, went or were replaced."""

METRICS = Asset("metrics")
"""A new run stands in the database."""
