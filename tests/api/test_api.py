"""The API as its users see it: pages, single objects, searches, errors, the token and limits."""

import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path
from threading import Event
from typing import Any

import anyio
import httpx
import psutil
import pytest
from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import text

from mirpipe import search_process
from mirpipe.api.app import MAX_CONNECTIONS, create_app
from mirpipe.api.problems import handle_errors
from mirpipe.api.request_size import MAX_BODY_BYTES
from mirpipe.api.search import MAX_SEARCHES
from mirpipe.settings import Settings, settings
from tests.api.conftest import TOKEN, api_process, responds
from tests.support.audio_files import tone
from tests.support.databases import Database
from tests.support.waiting import eventually, sessions_waiting

pytestmark = pytest.mark.slow

LOCK_VECTORS = "ALTER VIEW mirpipe.v_embedding_1 RESET (security_barrier)"
"""Changes nothing. LOCK TABLE would also lock the tables of the view."""

SET_IMPORTED = """
    UPDATE mirpipe.embedding_batch SET is_imported = :is_imported,
        device = CASE WHEN :is_imported THEN NULL ELSE 'cpu' END,
        versions = CASE WHEN :is_imported THEN NULL ELSE CAST('{}' AS jsonb) END,
        seconds = CASE WHEN :is_imported THEN NULL ELSE 1 END
"""


def get(client: httpx.Client, path: str, **parameters: Any) -> Any:
    """Return the JSON of a successful request."""
    response = client.get(path, params=parameters)
    assert response.status_code == 200, response.text
    return response.json()


def problem(response: httpx.Response) -> tuple[int, str]:
    """Return the status and the detail of an error, which is described as in RFC 9457."""
    assert response.headers["Content-Type"] == "application/problem+json"
    body = response.json()
    assert set(body) == {"type", "title", "status", "detail"}
    assert (body["type"], body["status"]) == ("about:blank", response.status_code)
    return response.status_code, body["detail"]


def test_pages_of_tracks_contain_each_track_once(server: httpx.Client) -> None:
    titles, cursor = [], None
    while True:
        page = get(server, "/v1/tracks", limit=3, **({"cursor": cursor} if cursor else {}))
        titles += [track["title"] for track in page["items"]]
        assert len(page["items"]) <= 3
        cursor = page["next"]
        if cursor is None:
            break
    assert sorted(titles) == ["110 Hz", "3000 Hz", "880 Hz", "890 Hz"]


def test_tracks_are_filtered_and_searched(server: httpx.Client) -> None:
    targets = get(server, "/v1/tracks", collection="target")
    assert [track["title"] for track in targets["items"]] == ["890 Hz"]
    found = get(server, "/v1/tracks", search="3000 hz")["items"]
    assert [track["title"] for track in found] == ["3000 Hz"]
    assert get(server, "/v1/tracks", state="gone") == {"items": [], "next": None}


def test_the_audio_of_a_track_is_sent_in_ranges_or_decoded(server: httpx.Client) -> None:
    [target] = get(server, "/v1/tracks", collection="target")["items"]
    path = f"/v1/tracks/{target['track_id']}/audio"
    complete = server.get(path)
    assert (complete.status_code, complete.headers["Content-Type"]) == (200, "audio/wav")
    part = server.get(path, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, complete.content[100:200])
    assert server.get(path, params={"as": "wav"}).content[:4] == b"RIFF"
    outside = problem(server.get(path, headers={"Range": "bytes=999999999-"}))
    assert outside == (416, f"The audio has {len(complete.content)} bytes.")
    assert problem(server.get(path, params={"as": "mp3"}))[0] == 422
    assert problem(server.get("/v1/tracks/999999/audio"))[0] == 404


def test_a_player_can_ask_for_the_size_of_the_audio(server: httpx.Client) -> None:
    [target] = get(server, "/v1/tracks", collection="target")["items"]
    path = f"/v1/tracks/{target['track_id']}/audio"
    complete, head = server.get(path), server.head(path)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("Content-Length", "Content-Type", "Accept-Ranges", "ETag"):
        assert head.headers[name] == complete.headers[name]
    assert server.head("/v1/tracks/999999/audio").status_code == 404


def test_audio_needs_the_token(protected: httpx.Client) -> None:
    assert problem(protected.get("/v1/tracks/1/audio"))[0] == 401


def test_a_track_and_its_neighbours_are_described(server: httpx.Client) -> None:
    [target] = get(server, "/v1/tracks", collection="target")["items"]
    track = get(server, f"/v1/tracks/{target['track_id']}")
    assert (track["title"], track["seconds"], track["format"]) == ("890 Hz", 2.0, "WAV")
    [nearest] = get(server, f"/v1/tracks/{target['track_id']}/neighbours", k=2, encoder="signal")
    assert nearest["encoder"] == "signal"
    first, second = nearest["references"]
    assert (first["rank"], first["title"], second["rank"]) == (1, "880 Hz", 2)


def test_an_uploaded_file_finds_similar_references(server: httpx.Client, tmp_path: Path) -> None:
    content = tone(tmp_path / "query.wav", 885).read_bytes()
    response = server.post(
        "/v1/search", params={"encoder": "signal", "k": 1}, files={"file": ("query.wav", content)}
    )
    [hit] = response.json()
    assert (hit["rank"], hit["title"]) == (1, "880 Hz")


def test_answers_from_imported_vectors_are_marked(
    library: Database, server: httpx.Client, tmp_path: Path
) -> None:
    [target] = get(server, "/v1/tracks", collection="target")["items"]
    content = tone(tmp_path / "query.wav", 885).read_bytes()
    marks = []
    for is_imported in (True, False):
        with library.owner.begin() as owner:
            owner.execute(text(SET_IMPORTED), {"is_imported": is_imported})
        [nearest] = get(server, f"/v1/tracks/{target['track_id']}/neighbours")
        response = server.post(
            "/v1/search", params={"encoder": "signal"}, files={"file": ("query.wav", content)}
        )
        marks.append([nearest["imported"], *(hit["imported"] for hit in response.json())])
    assert marks == [[True] * 4, [False] * 4]


def test_a_file_that_is_no_audio_is_refused_by_its_name(server: httpx.Client) -> None:
    response = server.post(
        "/v1/search", params={"encoder": "signal"}, files={"file": ("holiday.wav", b"no music")}
    )
    status, detail = problem(response)
    assert status == 422
    assert detail.startswith("Cannot search with holiday.wav: ")


def test_runs_encoders_and_summaries_are_listed(server: httpx.Client) -> None:
    [run] = get(server, "/v1/runs")["items"]
    assert (run["references"], run["targets"]) == (3, 1)
    assert [row["encoder"] for row in get(server, "/v1/encoders")] == ["signal"]
    latest = get(server, "/v1/runs/latest/summaries")
    assert latest == get(server, f"/v1/runs/{run['run_id']}/summaries")
    assert {row["subject"] for row in latest["retrieval"]} == {"signal"}
    assert "cosine" in {row["metric"] for row in latest["retrieval"]}
    assert latest["generation"] == []


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        ("/v1/tracks/999999", 404, "There is no track 999999. GET /v1/tracks lists all tracks."),
        ("/v1/tracks/1/neighbours?encoder=x", 404, "There is no encoder 'x'."),
        ("/v1/runs/999999/summaries", 404, "There is no run 999999. GET /v1/runs lists all runs."),
        ("/v1/tracks?limit=0", 422, "query.limit: Input should be greater than or equal to 1"),
        ("/v1/tracks?search=%00", 422, "query.search: String should match pattern"),
        ("/v1/tracks/99999999999999999999", 422, "path.track_id: Input should be less than"),
        ("/v1/tracks?collections=target", 422, "There is no query parameter 'collections' here."),
        ("/v1/encoders?x=1", 422, "There is no query parameter 'x' here. Known ones: none."),
        ("/v2", 404, "There is no path /v2. GET /openapi.json describes all paths."),
    ],
)
def test_errors_are_problem_details(
    server: httpx.Client, path: str, status: int, detail: str
) -> None:
    found_status, found_detail = problem(server.get(path))
    assert found_status == status
    assert found_detail.startswith(detail)


@pytest.mark.parametrize(
    ("error", "status", "detail"),
    [
        (search_process.SearchCrashed(), 500, "The search stopped because of an internal error."),
        (search_process.SearchUnavailable("No database."), 503, "No database."),
    ],
)
def test_a_search_that_fails_without_fault_of_its_file_is_an_error_of_the_server(
    error: search_process.SearchFailed, status: int, detail: str
) -> None:
    app = FastAPI()
    handle_errors(app)

    @app.get("/")
    def search() -> None:
        raise error

    found_status, found_detail = problem(TestClient(app).get("/"))
    assert found_status == status
    assert found_detail.startswith(detail)


def test_only_reading_is_possible(server: httpx.Client) -> None:
    refused = server.delete("/v1/tracks/1/audio")
    assert problem(refused) == (
        405,
        "/v1/tracks/1/audio does not accept DELETE. Use GET, HEAD.",
    )
    assert refused.headers["Allow"] == "GET, HEAD"
    assert problem(server.get("/v1/search")) == (
        405,
        "/v1/search does not accept GET. Use POST.",
    )


@pytest.mark.parametrize("states_length", [True, False])
def test_a_request_that_is_too_large_is_refused(server: httpx.Client, states_length: bool) -> None:
    block = b"x" * 2**20
    blocks = MAX_BODY_BYTES // len(block) + 1
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'

    def body() -> Any:
        yield head
        for _ in range(blocks):
            yield block
        yield b"\r\n--b--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    if states_length:
        headers["Content-Length"] = str(len(head) + blocks * len(block) + 9)
    response = server.post(
        "/v1/search", params={"encoder": "signal"}, content=body(), headers=headers
    )
    assert problem(response) == (413, "The request is larger than 101 MB. Send less.")


def test_without_a_token_the_api_is_only_for_this_machine(server: httpx.Client) -> None:
    response = server.get("/v1/runs", headers={"Host": "attacker.example"})
    assert problem(response)[0] == 400


@pytest.mark.parametrize("bind", ["127.0.0.2", "::1"])
def test_the_address_on_which_the_api_listens_is_a_host_name(bind: str) -> None:
    app = create_app(Settings(bind=bind))
    host = f"[{bind}]:8600" if ":" in bind else f"{bind}:8600"
    assert TestClient(app).get("/health", headers={"Host": host}).status_code == 200


def test_a_token_is_required_if_it_is_set(protected: httpx.Client) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}):
        response = protected.get("/v1/runs", headers=headers)
        status, detail = problem(response)
        assert status == 401
        assert "Authorization: Bearer TOKEN" in detail
        assert response.headers["WWW-Authenticate"] == "Bearer"
    allowed = protected.get("/v1/runs", headers={"Authorization": f"Bearer {TOKEN}"})
    assert allowed.status_code == 200


def test_a_request_without_the_token_is_refused_before_its_body_is_sent(
    protected: httpx.Client,
) -> None:
    connection = HTTPConnection(protected.base_url.host, protected.base_url.port, timeout=30)
    with closing(connection):
        connection.putrequest("POST", "/v1/search?encoder=signal")
        connection.putheader("Content-Type", "multipart/form-data; boundary=b")
        connection.putheader("Content-Length", str(MAX_BODY_BYTES))
        connection.endheaders()
        assert connection.getresponse().status == 401


def test_requests_are_refused_while_there_are_too_many_connections(
    protected: httpx.Client,
) -> None:
    address = (protected.base_url.host, protected.base_url.port)
    with ExitStack() as opened:
        for _ in range(MAX_CONNECTIONS):
            opened.enter_context(closing(socket.create_connection(address)))
        eventually(lambda: protected.get("/health").status_code == 503)
    eventually(lambda: responds(protected))


def test_the_api_does_not_start_where_others_can_reach_it_without_a_token(
    variables: dict[str, str],
) -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("mirpipe"), "api"],
        env={**os.environ, **variables, "MIRPIPE_BIND": "0.0.0.0"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "The API would listen at 0.0.0.0" in done.stderr
    assert "MIRPIPE_API_TOKEN" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_search_ends_with_the_api(
    library: Database, variables: dict[str, str], tmp_path: Path, number: signal.Signals
) -> None:
    content = tone(tmp_path / "query.wav", 885).read_bytes()
    with (
        ThreadPoolExecutor(1) as pool,
        api_process(variables) as (process, client),
        library.owner.begin() as owner,
    ):
        owner.execute(text(LOCK_VECTORS))
        pool.submit(
            client.post,
            "/v1/search",
            params={"encoder": "signal"},
            files={"file": ("query.wav", content)},
        )
        eventually(lambda: sessions_waiting(library.owner) == 1)
        [child] = psutil.Process(process.pid).children()
        process.send_signal(number)
        process.wait(timeout=20)  # The database would stop the query after 30 s.
        eventually(lambda: not child.is_running())


def test_queries_that_take_too_long_are_stopped(library: Database, server: httpx.Client) -> None:
    paths = ("/v1/runs", "/v1/tracks/1/neighbours")
    with library.owner.begin() as owner, ThreadPoolExecutor(len(paths)) as pool:
        owner.execute(text("LOCK TABLE mirpipe.run"))
        owner.execute(text(LOCK_VECTORS))
        responses = list(pool.map(server.get, paths))
    for response in responses:
        status, detail = problem(response)
        assert status == 503
        assert "it took longer than 30s" in detail
        assert response.headers["Retry-After"] == "10"


def test_every_running_request_has_a_database_connection(
    library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_process, "_stopped", Event())

    async def running_requests() -> float:
        app = create_app(settings())
        async with app.router.lifespan_context(app):
            return float(current_default_thread_limiter().total_tokens)

    requests = int(anyio.run(running_requests))
    with ExitStack() as opened:
        for _ in range(requests):
            opened.enter_context(library.reader.connect())
        assert library.reader.pool.checkedout() == requests


def test_searches_that_would_wait_for_long_are_refused_and_others_still_answered(
    server: httpx.Client, tmp_path: Path
) -> None:
    content = tone(tmp_path / "query.wav", 885).read_bytes()

    def search(_number: int) -> httpx.Response:
        return server.post(
            "/v1/search", params={"encoder": "signal"}, files={"file": ("query.wav", content)}
        )

    with ThreadPoolExecutor(3 * MAX_SEARCHES) as pool:
        responses = pool.map(search, range(3 * MAX_SEARCHES))
        assert server.get("/v1/runs").status_code == 200
        refused = [response for response in responses if response.status_code != 200]
    assert 0 < len(refused) < 3 * MAX_SEARCHES
    for response in refused:
        assert problem(response) == (503, "Other searches are still running. Try again later.")
        assert response.headers["Retry-After"] == "10"
