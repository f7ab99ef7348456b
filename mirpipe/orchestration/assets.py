"""Assets that connect the DAGs: when a DAG run updates an asset, Airflow starts the next DAG."""

from airflow.sdk import Asset

TRACKS = Asset("tracks")
"""Asset that is updated if tracks were added, removed, replaced or relabelled.

Its update starts evaluate_retrieval.
"""

REMAINING = Asset("remaining_tracks")
"""Asset that is updated if a run has left out pending tracks.

Its update starts evaluate_retrieval again.
"""

METRICS = Asset("metrics")
"""Asset that is updated if a report has published a new run. Its update starts generate_music."""
