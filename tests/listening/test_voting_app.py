"""The voting application: what a link opens, what it never says, and ranges of audio."""

import io
from collections.abc import Iterator
from threading import Thread

import httpx
import pytest
import soundfile
import uvicorn
from sqlalchemy import text

from mirpipe.listening.voting_app import create_app
from tests.listening.conftest import TITLE, create_links
from tests.support.databases import Database
from tests.support.waiting import eventually

UNKNOWN = "x" * 32


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Yield the address of a server in this process. It uses the database of the current test."""
    server = uvicorn.Server(uvicorn.Config(create_app(), port=0, log_level="critical"))
    thread = Thread(target=server.run)
    thread.start()
    eventually(lambda: server.started)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(20)


@pytest.fixture
def client(
    address: str, audible_library: Database
) -> Iterator[httpx.Client]:  # It fills the database.
    with httpx.Client(base_url=address, trust_env=False, timeout=60) as client:
        yield client


@pytest.fixture
def link(client: httpx.Client) -> str:
    """Return the path of a link whose listener has consented."""
    [token] = create_links()
    assert client.post(f"/{token}/consent").status_code == 200
    return f"/{token}"


def test_a_listener_answers_all_questions_and_exports_them(client: httpx.Client, link: str) -> None:
    answers = []
    while (question := client.get(f"{link}/question").json()) is not None:
        answer = (question["position"] % 3) - 1
        path = f"{link}/vote/{question['position']}/{answer}"
        assert client.post(path).status_code == 200
        answers.append(answer)
    progress = client.get(f"{link}/progress").json()
    assert progress["answered_n"] == progress["questions_n"] == len(answers) >= 4
    exported = client.get(f"{link}/votes")
    assert "my-answers.json" in exported.headers["content-disposition"]
    assert [each["answer"] for each in exported.json()] == answers
    assert set(exported.json()[0]) == {
        *("position", "criterion", "is_rating", "answer", "answered_at")
    }


def test_no_response_contains_a_title_a_path_or_an_id(client: httpx.Client, link: str) -> None:
    responses = [client.get(f"{link}{path}") for path in ("", "/progress", "/question", "/votes")]
    responses += [
        client.get(f"{link}/audio/{position}/{part}")
        for position in range(client.get(f"{link}/progress").json()["questions_n"])
        for part in ("target", "left", "right")
    ]
    assert [response.status_code for response in responses] == [200] * len(responses)
    for response in responses:
        whole = response.content + str(response.headers).encode()
        for secret in (TITLE, "secret", "clap", "signal", "track"):
            assert secret.encode() not in whole
    assert {r.headers["content-type"] for r in responses[4:]} == {"audio/flac"}


def test_the_audio_is_the_excerpt_that_the_design_names(client: httpx.Client, link: str) -> None:
    content = client.get(f"{link}/audio/0/left").content
    samples, _ = soundfile.read(io.BytesIO(content))
    assert len(samples) == 2 * 44_100


@pytest.mark.parametrize(
    ("wanted", "status", "expected"),
    [
        ("bytes=0-", 206, slice(0, None)),
        ("bytes=5-9", 206, slice(5, 10)),
        ("bytes=-7", 206, slice(-7, None)),
        ("bytes=10-99999999", 206, slice(10, None)),
        ("bytes=99999999-", 416, slice(0, 0)),
        ("bytes=9-5", 416, slice(0, 0)),
        ("bytes=-", 200, slice(None)),
        (f"bytes={'9' * 5000}-", 200, slice(None)),
        ("bytes=0-1,4-5", 200, slice(None)),
        ("lines=1-2", 200, slice(None)),
    ],
)
def test_a_range_of_the_audio_can_be_requested(
    client: httpx.Client, link: str, wanted: str, status: int, expected: slice
) -> None:
    whole = client.get(f"{link}/audio/0/target").content
    response = client.get(f"{link}/audio/0/target", headers={"range": wanted})
    assert (response.status_code, response.content) == (status, whole[expected])
    if status == 206:
        start, stop, _ = expected.indices(len(whole))
        assert response.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(whole)}"
    if status == 416:
        assert response.headers["content-range"] == f"bytes */{len(whole)}"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/question/60", 404),
        ("GET", "/question/-1", 422),
        ("GET", "/audio/60/left", 404),
        ("GET", "/audio/0/title", 422),
        ("POST", "/vote/0/2", 404),
        ("POST", "/vote/0/99999999999", 404),
        ("POST", "/vote/60/1", 404),
        ("GET", "/vote/0/1", 405),
        ("GET", "/withdraw", 405),
        ("GET", "/nothing", 404),
    ],
)
def test_other_requests_are_refused(
    client: httpx.Client, link: str, method: str, path: str, status: int
) -> None:
    assert client.request(method, link + path).status_code == status
    assert client.get(f"{link}/votes").json() == []


@pytest.mark.parametrize(
    "path", ["progress", "audio/0/left", "votes", "question/0", "consent", "withdraw", "vote/0/1"]
)
def test_an_unknown_token_opens_nothing(client: httpx.Client, link: str, path: str) -> None:
    method = "POST" if path in ("consent", "withdraw", "vote/0/1") else "GET"
    assert client.request(method, f"/{UNKNOWN}/{path}").status_code == 404
    assert client.get(f"{link}/progress").json()["answered_n"] == 0


def test_before_consent_there_is_no_audio_and_no_question(client: httpx.Client) -> None:
    [token] = create_links()
    assert client.get(f"/{token}/question").json() is None
    assert client.get(f"/{token}/audio/0/left").status_code == 404
    assert client.post(f"/{token}/vote/0/1").status_code == 404


def test_after_withdrawal_the_link_opens_nothing(client: httpx.Client, link: str) -> None:
    client.post(f"{link}/vote/0/1")
    assert client.post(f"{link}/withdraw").status_code == 200
    assert client.get(f"{link}/progress").status_code == 404
    assert client.get(f"{link}/audio/0/left").status_code == 404
    assert client.post(f"{link}/withdraw").status_code == 404


def test_every_response_forbids_other_sources_and_referrers(
    client: httpx.Client, link: str
) -> None:
    for path in (link, f"{link}/progress", f"/{UNKNOWN}/progress", "/vote.js", "/style.css"):
        headers = client.get(path).headers
        assert headers["content-security-policy"].startswith(
            "default-src 'none'; script-src 'self'"
        )
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
    assert client.get("/openapi.json").status_code == 422


def test_a_missing_file_is_an_error_without_its_name(
    client: httpx.Client, link: str, audible_library: Database
) -> None:
    with audible_library.owner.begin() as connection:
        connection.execute(text("UPDATE mirpipe.track_file SET path = path || '.gone'"))
    response = client.get(f"{link}/audio/0/left")
    assert response.status_code == 503
    assert "secret" not in response.text


def test_a_file_that_is_now_too_short_is_an_error_too(
    client: httpx.Client, link: str, audible_library: Database
) -> None:
    with audible_library.owner.begin() as connection:
        connection.execute(text("UPDATE mirpipe.track SET seconds = 60"))
    assert client.get(f"{link}/audio/0/left").status_code == 503
