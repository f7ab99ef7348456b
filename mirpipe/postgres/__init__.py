"""Creates, starts and stops a private Postgres server with pgvector, from programs in a wheel.

This package does not know what the databases are used for. Of mirpipe it uses only the errors and
the durable file writes. Its error messages name the commands and settings of mirpipe.
"""
