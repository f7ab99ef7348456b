"""Gates: rules about the results, each with a verdict: passed, failed or undecided."""
