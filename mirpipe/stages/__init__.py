"""The stages of the pipeline. A stage queries the tables for pending work, and does it."""
