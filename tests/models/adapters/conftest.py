"""Tests of the models: collected by the interpreter that has their libraries."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("torch") else ["test_*.py"]
