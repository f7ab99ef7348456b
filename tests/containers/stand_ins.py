"""Images that stand in for the public base images, from Debian's packages and PyPI's.

They have the tags of the public images, so that docker-compose.yml and the Dockerfile use them
unchanged. They show what mirpipe's own images and the compose file do. They do not show the file
permissions and the entry points in the public images.
"""

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from mirpipe.settings import PROJECT
from tests.containers.engine import Engine
from tests.containers.package_sources import RELEASE, PackageSources, package_sources
from tests.deploy.compose import config, env_file

FOLDERS = Path(__file__).parent / "images"
CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
# As in the public image: apt keeps no downloaded packages.
APT_KEEPS_NOTHING = 'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb || true"; };\n'
NOT_IN_THE_IMAGE = (
    "./var/cache/apt/*.bin",
    "./var/cache/apt/archives/*.deb",
    "./var/lib/apt/lists/*",
)


def base_images() -> dict[str, str]:
    """Return the tags of the public images that the project uses: python, postgres and redis."""
    services = config(env_file())["services"]
    dockerfile = (PROJECT / "docker" / "Dockerfile").read_text()
    (python,) = re.findall(r"^FROM (python:\S+)", dockerfile, re.M)
    return {
        "python": python,
        "postgres": services["postgres"]["image"],
        "redis": services["redis"]["image"],
    }


@contextmanager
def stand_ins(engine: Engine, folder: Path) -> Iterator[None]:
    """Provide a stand-in for each public image that the engine does not have.

    The stand-ins are stored in the user's cache, so that they are built once. `folder` is for
    temporary files. The engine's own images are never replaced, and the stand-ins are removed at
    the end.
    """
    sources = package_sources()
    cache = platformdirs.user_cache_path("mirpipe") / "stand-in-images"
    cache.mkdir(parents=True, exist_ok=True)
    added = []
    try:
        for name, tag in base_images().items():
            if engine.has_image(tag):
                continue
            assert os.geteuid() == 0, (
                f"The engine has no image {tag}, and only root can build a stand-in for it. Run "
                f"`docker pull {tag}`, or run `make test-containers` as root."
            )
            added.append(tag)
            archive = cache / f"{name}-{_key(sources, name, tag)}.tar"
            if archive.exists():
                engine.docker("load", "--input", str(archive))
                continue
            if name == "python":
                _build_python(engine, tag, sources, folder)
            else:
                python = base_images()["python"]
                options = ["--build-arg", f"PYTHON={python}", "--tag", tag]
                engine.docker("build", *options, str(FOLDERS / name))
            partial = archive.with_suffix(".partial")
            engine.docker("save", "--output", str(partial), tag)
            for older in cache.glob(f"{name}-*.tar"):
                older.unlink()
            partial.rename(archive)
        yield
    finally:
        if not engine.is_own:
            for tag in added:
                engine.try_docker("image", "rm", tag)


def _key(sources: PackageSources, name: str, tag: str) -> str:
    """Return a hash of everything that determines a stand-in."""
    files = [Path(__file__), *sorted((FOLDERS / name).glob("*"))]
    if sources.certificates:
        files.append(sources.certificates)
    text = json.dumps([tag, sources.apt, sources.variables])
    digest = hashlib.sha256(text.encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _build_python(engine: Engine, tag: str, sources: PackageSources, folder: Path) -> None:
    """Build the image of Debian's own Python, with this machine's package sources."""
    root, archive = folder / "root", folder / "root.tar"
    packages = "--include=ca-certificates,python3,python3-venv"
    mirror = [sources.mirror] if sources.mirror else []
    _run("debootstrap", "--variant=minbase", packages, RELEASE, str(root), *mirror)
    (root / "etc/apt/apt.conf.d/docker-clean").write_text(APT_KEEPS_NOTHING)
    variables = dict(sources.variables)
    if sources.apt:
        (root / "etc/apt/sources.list").write_text("\n".join(sources.apt) + "\n")
    if sources.certificates:
        (root / CERTIFICATES).write_bytes(sources.certificates.read_bytes())
        variables |= {"PIP_CERT": f"/{CERTIFICATES}", "SSL_CERT_FILE": f"/{CERTIFICATES}"}
    excluded = [f"--exclude={pattern}" for pattern in NOT_IN_THE_IMAGE]
    _run("tar", "--create", f"--file={archive}", f"--directory={root}", *excluded, ".")
    changes = [
        word for name, value in variables.items() for word in ("--change", f"ENV {name}={value}")
    ]
    engine.docker("import", *changes, str(archive), tag)
    archive.unlink()


def _run(*command: str) -> None:
    process = subprocess.run(command, capture_output=True, text=True)
    assert process.returncode == 0, f"{' '.join(command)}: {process.stdout}{process.stderr}"
