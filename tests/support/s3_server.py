"""An S3 server (moto) on this machine, and a proxy before it that counts and spoils requests."""

import http.client
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import httpx

from mirpipe.orchestration.free_port import reserve_free_port
from tests.support.install_test_tools import S3_SERVER
from tests.support.skip_or_fail import skip_or_fail
from tests.support.waiting import eventually


@dataclass(frozen=True)
class Request:
    """A request that the proxy has received."""

    method: str
    target: str
    """Path and query, as they were sent."""
    byte_range: str = ""
    """The header Range, or an empty text."""

    @property
    def is_list(self) -> bool:
        return self.method == "GET" and "list-type=2" in self.target

    @property
    def is_read(self) -> bool:
        """Whether the request reads the content of an object."""
        return self.method == "GET" and not self.is_list

    @property
    def key(self) -> str:
        """Key of the object, without the bucket."""
        return unquote(urlsplit(self.target).path).lstrip("/").partition("/")[2]


@dataclass(frozen=True)
class Fault:
    """The answer that the proxy gives instead of the server's."""

    status: int = 0
    """HTTP status. 0 closes the connection without an answer."""
    code: str = ""
    """S3 error code."""
    body: str = ""
    """Body of the answer. Default: an error with the code."""
    cut_body: bool = False
    """Whether the server's answer is passed on, but without its second half."""


# moto does not check signatures, but it treats a request without one as anonymous.
_SIGNED = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=key/20260101/us-east-1/s3/aws4_request, "
    "SignedHeaders=host, Signature=none"
}

LARGE_BUCKET = "large"
"""Name of a bucket of every server. Filling it by 9,999 requests would take a minute."""
_SERVE = f"""
import sys
from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.server import main
backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
backend.create_bucket("{LARGE_BUCKET}", "us-east-1")
for number in range(9_999):
    backend.put_object("{LARGE_BUCKET}", f"library/{{number % 99:02d}}/{{number:05d}}.flac", b"")
main(sys.argv[1:])
"""

Spoil = Callable[[Request], Fault | None]


@dataclass
class Proxy:
    """The proxy's address, the requests so far, and the faults."""

    url: str
    requests: list[Request] = field(default_factory=list)
    spoil: Spoil = lambda _request: None
    """Called for each request, before it is passed on. It may also change the server's objects."""

    def count(self, condition: Callable[[Request], bool]) -> int:
        """Return how many requests so far fulfil the condition."""
        return sum(map(condition, self.requests))


@dataclass(frozen=True)
class Bucket:
    """A bucket on the server. mirpipe reaches it through the proxy, and the test without it."""

    name: str
    server: str
    proxy: Proxy

    @property
    def url(self) -> str:
        return f"s3://{self.name}"

    def put(self, key: str, content: bytes) -> None:
        self._send("PUT", key, content)

    def delete(self, key: str) -> None:
        self._send("DELETE", key)

    def read(self, key: str) -> bytes:
        return self._send("GET", key).content

    def list_keys(self) -> list[str]:
        """Return the first 1,000 keys."""
        listing = self._send("GET", "", query="?list-type=2").text
        return [part.partition("</Key>")[0] for part in listing.split("<Key>")[1:]]

    def upload(self, folder: Path, prefix: str) -> None:
        """Put all files of a folder below the prefix."""
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.put(f"{prefix}/{path.relative_to(folder)}", path.read_bytes())

    def create(self) -> None:
        self._send("PUT", "")

    def _send(
        self, method: str, key: str, content: bytes = b"", *, query: str = ""
    ) -> httpx.Response:
        url = f"{self.server}/{self.name}/{quote(key)}{query}"
        answer = _client().request(method, url, content=content, headers=_SIGNED)
        return answer.raise_for_status()


@cache
def _client() -> httpx.Client:
    return httpx.Client(timeout=30)


@contextmanager
def running_server(bind: str = "127.0.0.1") -> Iterator[str]:
    """Yield the URL of a new moto server that listens on one address of this machine."""
    program = S3_SERVER / "bin" / "python"
    if not program.exists():
        skip_or_fail("moto is not installed: run tests/support/install_test_tools.py")
    port, reservation = reserve_free_port(5000, bind=bind)
    command = [program, "-c", _SERVE, "-H", bind, "-p", str(port)]
    output = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    with reservation, subprocess.Popen(command, env=environment, **output) as process:
        try:
            url = f"http://{bind}:{port}"
            eventually(lambda: _answers(url), seconds=60)
            yield url
        finally:
            process.kill()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/moto-api/").status_code == 200
    except httpx.TransportError:
        return False


@contextmanager
def running_proxy(server: str) -> Iterator[Proxy]:
    """Yield a proxy before the server."""
    host = urlsplit(server).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_request(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            request = Request(self.command, self.path, self.headers.get("Range", ""))
            proxy.requests.append(request)
            fault = proxy.spoil(request)
            if fault is not None and not fault.cut_body:
                self._send_fault(fault)
                return
            connection = http.client.HTTPConnection(host)
            connection.request(self.command, self.path, body, dict(self.headers))
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                    self.send_header(name, value)
            length = answer.headers["Content-Length"] if self.command == "HEAD" else len(content)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            if fault is not None:
                content = content[: len(content) // 2]
                self.close_connection = True
            self.wfile.write(content)

        def _send_fault(self, fault: Fault) -> None:
            if not fault.status:
                self.close_connection = True
                return
            error = f"<Error><Code>{fault.code}</Code><Message>test</Message></Error>"
            text = (fault.body or error).encode()
            self.send_response(fault.status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(text)

        do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = handle_request  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Ignore that a client has closed its connection."""

    listener = Server(("127.0.0.1", 0), Handler)
    proxy = Proxy(f"http://127.0.0.1:{listener.server_port}")
    thread = threading.Thread(target=listener.serve_forever)
    thread.start()
    try:
        yield proxy
    finally:
        listener.shutdown()
        thread.join()
        with suppress(OSError):
            listener.server_close()
