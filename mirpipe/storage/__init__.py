"""Reads and writes objects in S3 buckets, and gives code that needs a file a local copy.

Credentials and the endpoint come from the usual AWS_ variables, from a container's or an instance's
role, or from a web identity (ADR 31).
"""
