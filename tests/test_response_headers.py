"""Headers that are added to every response of a web application."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from mirpipe.response_headers import AddHeaders


def test_each_response_gets_the_headers_that_it_lacks() -> None:
    def own(_request: object) -> Response:
        return Response(headers={"cache-control": "private"})

    app = Starlette(
        routes=[Route("/own", own)],
        middleware=[Middleware(AddHeaders, headers={"cache-control": "no-store", "x-a": "1"})],
    )
    client = TestClient(app)
    found, missing = client.get("/own").headers, client.get("/missing").headers
    assert (found["cache-control"], found["x-a"]) == ("private", "1")
    assert (missing["cache-control"], missing["x-a"]) == ("no-store", "1")
