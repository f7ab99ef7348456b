"""Model weights, model libraries, Python interpreters and devices."""
