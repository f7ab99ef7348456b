"""Creates, starts and stops a private Postgres server with pgvector, with programs from a wheel.

The code in this package does not depend on what the databases are used for. From mirpipe it uses
only the errors and the durable file writes. Its error messages name mirpipe's commands and
settings.
"""
