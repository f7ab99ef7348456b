"""Stages: verbs. Each asks the store what is missing and makes it so."""
