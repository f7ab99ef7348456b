"""SQL for a short text that identifies a set of rows, in any order.

Postgres hashes each row and adds the hashes, so it sorts nothing, and no value grows with the rows.
"""


def row_hash_sum(query: str) -> str:
    """Return an SQL expression of type text for the rows of `query`, with repeated rows counted.

    The text contains the number of rows, and the sums of the two halves of the first 128 bits of
    their SHA-256. A row is hashed as a whole, so two rows that swap one value change the sums. The
    sums are not reduced, so equal rows do not cancel out.
    """
    return f"""(
        SELECT concat_ws(' ', count(*), sum(CAST(CAST('x' || left(hash, 16) AS bit(64)) AS bigint)),
            sum(CAST(CAST('x' || substr(hash, 17, 16) AS bit(64)) AS bigint)))
        FROM (
            SELECT encode(sha256(convert_to(CAST(hashed AS text), 'UTF8')), 'hex') AS hash
            FROM ({query}) hashed) hashes)"""
