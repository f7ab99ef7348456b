"""Finds the first SQL statement in a text, without the semicolon and the comments after it.

sqlparse reads `#` and nested comments differently from Postgres, so this scanner is our own.
"""

import re

_SKIPPED = re.compile(
    r"""--[^\n]*                                    # comment up to the end of the line
    | /\*                                           # start of a comment, which can be nested
    | (?<![\w$])[eE]'(?:[^'\\]|\\.)*'               # string with backslash escapes
    | '[^']*'                                       # string; '' is read as two strings
    | "[^"]*"                                       # quoted name
    | (?<![\w$])\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$  # dollar-quoted string
    | ;""",
    re.DOTALL | re.VERBOSE,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")


def first_statement(query: str) -> str:
    """Return the text up to the first semicolon that ends a statement.

    Semicolons in strings, quoted names and comments end no statement. The text after the semicolon
    is not examined: the caller must know that it contains no other statement.
    """
    position = 0
    while token := _SKIPPED.search(query, position):
        if token[0] == ";":
            return query[: token.start()]
        position = _comment_end(query, token.end()) if token[0] == "/*" else token.end()
    return query


def _comment_end(query: str, position: int) -> int:
    """Return the end of the comment whose content starts at `position`."""
    depth = 1
    for edge in _COMMENT_EDGE.finditer(query, position):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(query)
