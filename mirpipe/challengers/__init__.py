"""Challengers: new revisions, which are compared with the revisions whose results are shown."""
