"""Every operation of the running API behaves as its OpenAPI document says, for any input."""

from pathlib import Path

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import DrawFn, SearchStrategy, booleans, composite
from schemathesis import Case, GenerationMode
from schemathesis.transport.serialization import Binary

from tests.api.conftest import TOKEN
from tests.support.audio_files import tone

pytestmark = pytest.mark.slow

SEARCH_SECONDS = 360
"""Time that docs/how-to/api.md tells clients to wait for a search, in seconds."""

OPERATIONS = (
    *("GET /health", "GET /v1/tracks", "GET /v1/tracks/{track_id}"),
    *("GET /v1/tracks/{track_id}/neighbours", "POST /v1/search", "GET /v1/encoders"),
    *("GET /v1/tracks/{track_id}/audio", "HEAD /v1/tracks/{track_id}/audio"),
    *("GET /v1/runs", "GET /v1/runs/latest/summaries", "GET /v1/runs/{run_id}/summaries"),
)


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        (name, mode)
        for name in OPERATIONS
        for mode in GenerationMode
        if (name, mode) != ("GET /health", GenerationMode.NEGATIVE)  # It has no input.
    ],
)
def test_responses_to_valid_and_invalid_input_are_as_documented(
    protected: httpx.Client, name: str, mode: GenerationMode, tmp_path: Path
) -> None:
    method, _, path = name.partition(" ")
    operation = schemathesis.openapi.from_url(f"{protected.base_url}/openapi.json")[path][method]
    cases = operation.as_strategy(generation_mode=mode)
    is_search = name == "POST /v1/search" and mode == GenerationMode.POSITIVE
    if is_search:
        cases = with_real_values(cases, tone(tmp_path / "query.wav", 885).read_bytes())
    statuses = set()

    @given(case=cases)
    @settings(
        max_examples=10 if is_search else 30,  # A successful search takes seconds.
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def check(case: Case) -> None:
        # If a search were abandoned on a loaded machine, it would keep others from starting.
        response = case.call_and_validate(
            headers={"Authorization": f"Bearer {TOKEN}"}, timeout=SEARCH_SECONDS
        )
        statuses.add(response.status_code)

    check()
    if mode == GenerationMode.POSITIVE:
        assert statuses <= {200, 404, 422}, statuses
        assert 200 in statuses or not is_search, statuses
    else:
        refused = {400, 401, 404, 422}
        assert statuses <= {200, *refused}, statuses
        assert statuses & refused


@composite
def with_real_values(draw: DrawFn, searches: SearchStrategy[Case], audio: bytes) -> Case:
    """Draw a search. About half of them send the audio and name an encoder of the library."""
    case = draw(searches)
    if draw(booleans()):
        case.query["encoder"] = "signal"
        case.body["file"] = Binary(audio)
    return case


def test_every_operation_and_its_errors_are_described(protected: httpx.Client) -> None:
    document = protected.get("/openapi.json").json()
    operations = {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    assert set(operations) == set(OPERATIONS)
    for name, operation in operations.items():
        assert operation["summary"], name
        assert list(operation["responses"]["503"]["content"]) == ["application/problem+json"], name
