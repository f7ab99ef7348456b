"""Measures every dashboard page in Chromium, with a library of any size.

The library is written once, in var/bench/browser-REFERENCES-TARGETS. Delete the folder to write it
again. The environment variables REFERENCES and TARGETS set the size.
"""

import os
import sys
import time
from contextlib import closing, suppress
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from playwright.sync_api import Browser, BrowserContext, Page, Route, TimeoutError, WebSocket
from sqlalchemy import text
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks import listening_rows
from benchmarks.large_library import kept_server
from benchmarks.page_rows import LibrarySize, statements
from benchmarks.ranking_rows import STATEMENTS as RANKING_STATEMENTS
from dashboard.menu import SECTIONS
from mirpipe.db.embedded_server_roles import embedded_server
from mirpipe.db.engine import engine
from mirpipe.db.queries.listening_tests import listening_test
from mirpipe.db.search_index import build_search_index, search_indexes
from mirpipe.listening.stored_results import compute_results
from mirpipe.postgres.embedded import EmbeddedPostgres
from mirpipe.settings import PROJECT
from tests.dashboard.browser import READY, chromium, open_from_menu, running_dashboard

SIZE = {"references": 1_000_000, "targets": 10_000}
"""Size of the library. Environment variables with these names, in capitals, change it."""
ENCODERS, RUNS = 5, 100
TIMEOUT_SECONDS = 120
"""Largest time until a page is drawn. A page that takes longer has this time."""
IDLE_CPU_SECONDS = 0.1
"""An idle dashboard uses less CPU time per second."""
SESSIONS = 4
"""Number of sessions whose memory is measured together."""
Figures = dict[str, float]
"""Figures of one page, by name."""


def _link(name: str) -> str:
    """Return the text that identifies a track in addresses, by its collection and number."""
    return sha256(name.replace(" ", "").encode()).hexdigest()[:16]


ADDRESSES = {
    "overview": "",
    "overview, changed matches": "?changes=true",
    "retrieval": "retrieval",
    "retrieval, another page of the heatmap": "retrieval?page=7",
    "generation": "generation",
    "listen": "listen",
    "search, empty": "search",
    "search for words": "search?q=reference+77",
    "tracks": "tracks",
    "tracks, search": "tracks?search=reference+77",
    "tracks, last page": "tracks?page=200&sort=tempo&order=descending",
    "track of a target": f"track?track={_link('target 7')}&in=target",
    "track of a reference": f"track?track={_link('reference 77')}&in=reference",
    "track of a clip": f"track?track={_link('generated 7')}&in=generated",
    "map": "map",
    "hubs and agreement": "hubs",
    "listening tests": "listening",
    "history": "history",
    "history, trends": "history?part=trends",
    "history, gates": "history?part=gates",
    "history, published": "history?part=published",
    "SQL": "sql?sql=SELECT+*+FROM+v_retrieval",
    "quality": "quality",
    "failures": "failures",
    "glossary": "glossary",
}
"""Address of each page that is measured."""
_RESTART = """
    TRUNCATE track, run, encoder, metric, captioner, generator RESTART IDENTITY CASCADE
"""
_PAGE_IS_READY = f"() => document.querySelector('h1') && ({READY})()"


def run() -> dict[str, object]:
    """Return the size of the library, and the figures of each page and of the sessions."""
    sizes = {name: int(os.environ.get(name.upper(), n)) for name, n in SIZE.items()}
    library = LibrarySize(**sizes, encoders=ENCODERS, runs=RUNS)
    home = PROJECT / "var" / "bench" / "browser-{references}-{targets}".format(**sizes) / "home"
    with kept_server(home):
        _write_rows_if_missing(library, home)
        _finish_work()
        with (
            TemporaryDirectory() as folder,
            running_dashboard(Path(folder), "--browser.gatherUsageStats", "true") as address,
            chromium() as browser,
        ):
            server = _server_process()
            _wait_for_results_read_ahead(server)
            start_bytes = server.memory_info().rss
            pages = _measure_pages(browser, address)
            caches_bytes = server.memory_info().rss - start_bytes
            session_bytes = _measure_sessions(browser, address, server)
    return {
        "library": {**sizes, "encoders": ENCODERS, "runs": RUNS},
        "pages": pages,
        "memory": {"caches, all pages": caches_bytes / 1e6, "session": session_bytes / 1e6},
        "load": os.getloadavg()[1],
    }


def _write_rows_if_missing(library: LibrarySize, home: Path) -> None:
    with engine("owner").connect() as connection:
        if connection.execute(text("SELECT EXISTS (SELECT FROM mirpipe.run)")).scalar_one():
            return
    write_rows(library, embedded_server(home), "mirpipe")


def write_rows(library: LibrarySize, server: EmbeddedPostgres, database: str) -> None:
    """Write the rows of the library into this database in one transaction.

    Triggers and checks of foreign keys are off, as in a library whose work is done.
    """
    with closing(server.connect(database)) as connection:
        cursor = connection.cursor()
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET search_path = mirpipe, public")
        cursor.execute("SET synchronous_commit = off")
        cursor.execute("SET work_mem = '256MB'")
        cursor.execute("BEGIN")
        cursor.execute(_RESTART)  # The statements expect ids from 1.
        for statement in (
            *statements(library),
            *RANKING_STATEMENTS,
            *listening_rows.STATEMENTS,
        ):
            started = time.monotonic()
            cursor.execute(statement)
            name = " ".join(statement.split())[:50]
            print(f"{time.monotonic() - started:8.1f} s {name}", file=sys.stderr, flush=True)
        cursor.execute("COMMIT")
        cursor.execute("VACUUM ANALYZE")
    compute_results(listening_test(listening_rows.NAME))


def _finish_work() -> None:
    """Build the indexes that `mirpipe doctor` asks for, and leave no work for a next run."""
    with engine("owner").begin() as connection:
        connection.execute(text("DELETE FROM mirpipe.pair_input_change"))
        indexes = search_indexes(connection)
    for index in indexes:
        if index.is_missing:
            started = time.monotonic()
            build_search_index(index)
            print(f"{time.monotonic() - started:8.1f} s index of {index.encoder}", file=sys.stderr)


def _wait_for_results_read_ahead(server: psutil.Process) -> None:
    """Wait until the dashboard has read the results of the last run, as it does after each run."""
    before, used = 0.0, sum(server.cpu_times()[:2])
    while used - before > IDLE_CPU_SECONDS or _queries():
        time.sleep(1)
        before, used = used, sum(server.cpu_times()[:2])


def _queries() -> int:
    """Return the number of queries that run now, without this one."""
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()"
    )
    with engine("owner").connect() as connection:
        return int(connection.execute(text(query)).scalar_one())


def _server_process() -> psutil.Process:
    """Return the process of the dashboard."""
    children = psutil.Process().children()
    return next(child for child in children if "streamlit" in child.cmdline())


def _measure_pages(browser: Browser, address: str) -> dict[str, Figures]:
    """Open every page twice: with empty caches of the server, and again."""
    context = _context(browser)
    _view(context, f"{address}/glossary")  # Fills the caches of the browser.
    figures = {}
    for name, path in ADDRESSES.items():
        first = _view(context, f"{address}/{path}")
        again = _view(context, f"{address}/{path}")
        figures[name] = {
            "server, first": first["server"],
            "server, again": again["server"],
            "browser, first": first["browser"],
            "browser, again": again["browser"],
            "kB": first["bytes"] / 1e3,
        }
        print(name, figures[name], file=sys.stderr, flush=True)
    context.close()
    return figures


def _context(browser: Browser) -> BrowserContext:
    """Return a new context that reaches only this machine."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(TIMEOUT_SECONDS * 1000)

    def only_local(route: Route) -> None:
        if "//127.0.0.1:" in route.request.url:
            route.continue_()
        else:
            route.abort()

    context.route(lambda url: "//127.0.0.1:" not in url, only_local)
    return context


def _view(context: BrowserContext, address: str) -> Figures:
    """Open the address and wait until the page is complete.

    Returns the seconds of the script on the server, the seconds until the browser has drawn the
    page, and the bytes over the WebSocket, without those of Streamlit's measurement.
    """
    page = context.new_page()
    figures = {"server": 0.0, "bytes": 0.0}

    def received(payload: str | bytes) -> None:
        message = ForwardMsg.FromString(payload if isinstance(payload, bytes) else b"")
        if message.WhichOneof("type") == "page_profile":
            figures["server"] += message.page_profile.exec_time / 1e6
        else:
            figures["bytes"] += len(payload)

    def sent(payload: str | bytes) -> None:
        figures["bytes"] += len(payload)

    def watch(socket: WebSocket) -> None:
        socket.on("framereceived", received)
        socket.on("framesent", sent)

    page.on("websocket", watch)
    started = time.monotonic()
    page.goto(address, wait_until="commit")
    with suppress(TimeoutError):
        page.wait_for_function(_PAGE_IS_READY)
    figures["browser"] = time.monotonic() - started
    page.close()
    return figures


def _measure_sessions(browser: Browser, address: str, server: psutil.Process) -> float:
    """Return the bytes that a session with the largest pages takes more than an idle one."""
    context = _context(browser)

    def grown(paths: tuple[str, ...]) -> float:
        before = server.memory_info().rss
        for _ in range(SESSIONS):
            page = context.new_page()
            page.goto(f"{address}/glossary", wait_until="commit")
            page.wait_for_function(_PAGE_IS_READY)
            for title in paths:
                _open_from_menu(page, title)
        return (server.memory_info().rss - before) / SESSIONS

    idle = grown(())
    busy = grown(("Retrieval", "Generation", "Listen", "Tracks", "Map", "History"))
    context.close()
    return busy - idle


def _open_from_menu(page: Page, title: str) -> None:
    section = next(
        section for section, pages in SECTIONS.items() if title in (shown for _, shown, _ in pages)
    )
    open_from_menu(page, section, title)
    page.get_by_role("heading", name=title, level=1, exact=True).wait_for()
    page.wait_for_function(_PAGE_IS_READY)
