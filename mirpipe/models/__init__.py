"""Model weights, libraries, interpreters and devices."""
