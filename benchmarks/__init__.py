"""Benchmarks of speed and memory. Each module measures one part of the project in `run()`."""
