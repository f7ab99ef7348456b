"""The installed command runs the demo and shows the dashboard on a machine without a checkout."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page

from tests.dashboard.browser import chromium, responds, watched
from tests.support.waiting import eventually

pytestmark = [pytest.mark.package, pytest.mark.timeout(900)]

MATCHES = "SELECT count(*) FROM v_retrieval"
PAGES = ("Retrieval", "Generation", "SQL", "Glossary")


class Installed:
    """The command, run in a folder that is not a checkout."""

    def __init__(self, path: Path, environment: dict[str, str], folder: Path) -> None:
        self.path, self.environment, self.folder = path, environment, folder

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(self.path), *arguments],
            env=self.environment | variables,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, **variables: str) -> str:
        """Return the output. Fails if the exit code is not 0."""
        process = self.start(*arguments, **variables)
        output, _ = process.communicate()
        assert process.returncode == 0, output
        return output


@pytest.fixture(scope="module")
def installed(
    mirpipe: Path, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installed]:
    command = Installed(mirpipe, environment, tmp_path_factory.mktemp("elsewhere"))
    yield command
    command.run("db", "down")


@pytest.fixture(scope="module")
def demo(installed: Installed) -> str:
    """Run the demo, and return its output."""
    return installed.run("demo", "--once", "--home", installed.environment["MIRPIPE_HOME"])


def test_the_version_is_that_of_the_wheel(installed: Installed, wheels: dict[str, Path]) -> None:
    version = wheels["mirpipe"].name.split("-")[1]
    assert installed.run("--version").strip() == f"mirpipe {version}"


def test_the_demo_gives_verified_results(demo: str, installed: Installed) -> None:
    assert "the main job is done" in demo
    assert "aligned melody" in demo
    assert "all checks passed" in installed.run("verify")
    (matches,) = re.findall(r"^ *(\d+)$", installed.run("db", "psql", "-c", MATCHES), re.MULTILINE)
    assert int(matches) == 11 * 10 * 2


def test_doctor_finds_the_locked_versions(installed: Installed) -> None:
    output = installed.run("doctor")
    assert "have the locked versions" in output


def test_the_dashboard_shows_pages_that_read_files_of_the_project(
    demo: str, installed: Installed
) -> None:
    server = installed.start("dashboard", "--no-browser")
    try:
        assert server.stdout
        address = next(line for line in server.stdout if line.startswith("dashboard")).split()[1]
        eventually(lambda: responds(f"{address}/_stcore/health"), seconds=60)
        with chromium() as browser, watched(browser, "desktop", "light") as page:
            for name in PAGES:
                eventually(partial(opens, page, address, name), seconds=120)
    finally:
        server.terminate()
        server.wait(30)


def opens(page: Page, address: str, name: str) -> bool:
    """Open a page, and return whether its title appears.

    The browser stops loading if the machine's networks change, as when containers start.
    """
    try:
        page.goto(f"{address}/{name.lower()}")
        page.get_by_role("heading", name=name).first.wait_for(timeout=30_000)
    except PlaywrightError:
        return False
    return True


@pytest.mark.parametrize("typed", ["de", "models in"])
def test_the_shell_completes_commands(installed: Installed, typed: str) -> None:
    words = f"mirpipe {typed}"
    output = installed.run(
        _MIRPIPE_COMPLETE="complete_bash",
        COMP_WORDS=words,
        COMP_CWORD=str(len(words.split()) - 1),
    )
    assert output.split() == {"de": ["demo"], "models in": ["install"]}[typed]


def test_the_models_environment_gets_links_to_the_package(
    installed: Installed, short_folder: Path
) -> None:
    other = short_folder / "models-environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", other], check=True)
    (project,) = (short_folder / "tools").glob("mirpipe/lib/python*/site-packages/mirpipe/project")
    install = [str(project / "docker" / "install"), "project", str(other)]
    for _ in range(2):
        subprocess.run(["bash", *install], env=installed.environment, check=True)
    code = (
        "import json, importlib.metadata as m, mirpipe;"
        "print(json.dumps([m.version('mirpipe'), mirpipe.__path__[0]]))"
    )
    found = subprocess.run(
        [other / "bin" / "python", "-P", "-c", code], capture_output=True, text=True, check=True
    )
    version, path = json.loads(found.stdout)
    assert f"mirpipe {version}" == installed.run("--version").strip()
    assert Path(path).samefile(project.parent)
