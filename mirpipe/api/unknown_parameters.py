"""Refuses query parameters that an operation does not have.

Without this, a filter with a spelling mistake would return everything.
"""

from fastapi import HTTPException, Request
from fastapi.dependencies.utils import get_flat_dependant


def refuse_unknown_parameters(request: Request) -> None:
    """Raise HTTPException 422 if the operation has no query parameter of a name in the request."""
    known = {field.alias for field in get_flat_dependant(request["route"].dependant).query_params}
    unknown = sorted(set(request.query_params) - known)
    if unknown:
        names = ", ".join(sorted(known)) or "none"
        raise HTTPException(
            422,
            f"There is no query parameter {', '.join(map(repr, unknown))} here. Known ones: "
            f"{names}.",
        )
