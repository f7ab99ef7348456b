"""Airflow: the DAGs' tasks and plans, and the servers that `mirpipe up` starts.

Only this package and the folder `dags/` import Airflow.
"""
