"""Listening tests: their design, the pages on which people vote, and the analysis of the votes."""
