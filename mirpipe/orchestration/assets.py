"""Assets that connect the DAGs: a DAG run updates an asset, and that starts the next DAG."""

from airflow.sdk import Asset

TRACKS = Asset("tracks")
"""Updated if tracks were added, removed, replaced or relabelled. Starts evaluate_retrieval."""

METRICS = Asset("metrics")
"""Updated if a report stored a new run of results. Starts generate_music."""
