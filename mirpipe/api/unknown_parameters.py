"""Refuses query parameters that an operation does not have.

Without this, a filter with a spelling mistake would return everything.
"""

from fastapi import HTTPException, Request


def refuse_unknown_parameters(request: Request) -> None:
    """Raise HTTPException 422 if a query parameter is not in the description of the operation."""
    operations = request.app.openapi()["paths"][request["route"].path_format]
    parameters = operations[request.method.lower()].get("parameters", [])
    known = {each["name"] for each in parameters if each["in"] == "query"}
    unknown = sorted(set(request.query_params) - known)
    if unknown:
        names = ", ".join(sorted(known)) or "none"
        raise HTTPException(
            422,
            f"There is no query parameter {', '.join(map(repr, unknown))} here. Known ones: "
            f"{names}.",
        )
