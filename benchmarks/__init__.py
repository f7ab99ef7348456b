"""Speed and memory benchmarks. `run()` in each module measures one part of the project."""
