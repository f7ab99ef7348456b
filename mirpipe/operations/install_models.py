"""Installs the model libraries into a Python environment of their own."""

import os
import subprocess
import sys
from pathlib import Path

from mirpipe.errors import ConfigurationError, MirpipeError
from mirpipe.settings import PROJECT, models_environment


def install_models(torch_build: str) -> Path:
    """Install the model libraries in the locked versions, and return the environment's folder.

    `torch_build` is cpu, cuda, or another torch backend of uv, such as cu128. Packages that are
    already installed are kept. The installers print their messages. Raises MirpipeError if the
    installation fails.
    """
    import uv

    script, folder = PROJECT / "docker" / "install", models_environment()
    folder.parent.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"UV": uv.find_uv_bin(), "PYTHON": sys.executable}
    for step in (["models", str(folder), torch_build], ["project", str(folder)]):
        try:
            subprocess.run(["bash", str(script), *step], env=environment, check=True)
        except FileNotFoundError:
            raise ConfigurationError("The program bash is missing. Install it.") from None
        except subprocess.CalledProcessError:
            raise MirpipeError(
                "The model libraries could not be installed; see the message above. Run the "
                "command again to continue."
            ) from None
    return folder
