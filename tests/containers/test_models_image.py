"""The image `models`, with torch's build for GPUs, embeds tracks on the queue `gpu`.

The models have random weights, which the image's own libraries write, and run on the CPU.
"""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mirpipe.settings import PROJECT
from tests.containers.conftest import LOGS
from tests.containers.engine import Engine
from tests.containers.main_job import start_main_job, unsuccessful_tasks, wait_for_main_job
from tests.containers.stack import Stack, save_logs
from tests.containers.stack import stack as new_stack

pytestmark = pytest.mark.slow

FILES = ("docker-compose.yml", "tests/containers/models.yml")
ENCODERS = ("clap", "muq", "music2latent")
REFERENCES, TARGETS = 4, 2


@pytest.fixture(scope="module")
def with_models(engine: Engine, version: str, folder: Path) -> Iterator[Stack]:
    """Yield a stack in which the main job has run with three models."""
    library, weights = folder / "small-library", folder / "weights"
    for collection, number in (("reference", REFERENCES), ("target", TARGETS)):
        (library / collection).mkdir(parents=True)
        for file in sorted((PROJECT / "demo" / collection).glob("*.ogg"))[:number]:
            shutil.copy(file, library / collection)
    weights.mkdir()
    weights.chmod(0o777)
    variables = {
        "LIBRARY": str(library),
        "STAND_INS": str(weights),
        "COMPOSE_PROFILES": "postgres,gpu",
        "MIRPIPE_GPU_WORKERS": "true",
        "MIRPIPE_ENCODERS": ",".join(ENCODERS),
        "MIRPIPE_CAPTIONER": "",
    }
    with new_stack(engine, version) as plain:
        made = replace(plain, variables=plain.variables | variables, files=FILES)
        del made.variables["MIRPIPE_MANIFEST"]
        try:
            made.compose("build", "worker-gpu")
            write_random_weights(engine, version, weights)
            made.up()
            start_main_job(made)
            wait_for_main_job(made)
            yield made
        finally:
            save_logs(made, LOGS / made.name)


def write_random_weights(engine: Engine, version: str, folder: Path) -> None:
    """Write random weights of all models with the model libraries in the image."""
    tests = f"{PROJECT / 'tests'}:/opt/mirpipe/tests:ro"
    program = (".venv-models/bin/python", "-m", "tests.support.random_weights", "/stand-ins")
    volumes = ("--volume", tests, "--volume", f"{folder}:/stand-ins")
    environment = ("--env", "HOME=/tmp", "--env", "PYTHONPATH=/opt/mirpipe")
    image = f"mirpipe-models:{version}"
    engine.docker("run", "--rm", *volumes, *environment, image, *program, timeout=900)


def test_each_model_embeds_all_tracks_on_the_gpu_worker(with_models: Stack) -> None:
    assert unsuccessful_tasks(with_models) == []
    counts = (
        "SELECT encoder, count(DISTINCT target), bool_and(random) FROM mirpipe.v_retrieval "
        "GROUP BY encoder ORDER BY encoder"
    )
    assert with_models.query(counts).splitlines() == [f"{name}|{TARGETS}|t" for name in ENCODERS]
    assert "all checks passed" in with_models.run("worker", "mirpipe", "verify")


def test_the_image_has_the_torch_build_for_gpus(with_models: Stack) -> None:
    asks = "import torch; print(torch.version.cuda is not None)"
    answer = with_models.run("worker-gpu", ".venv-models/bin/python", "-c", asks)
    assert answer.strip() == "True"
