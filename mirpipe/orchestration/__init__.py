"""What DAGs share; with dags/, the only place that imports airflow."""
