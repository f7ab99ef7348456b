"""`mirpipe models`: lists and checks models, installs their libraries, and downloads weights."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import typer
from rich.table import Table

from mirpipe import registry
from mirpipe.cli.command_arguments import AsJson
from mirpipe.cli.models_check import check
from mirpipe.cli.progress_bar import progress_bar
from mirpipe.cli.table_layout import print_table
from mirpipe.cli.terminal_text import wide_console, wrapped
from mirpipe.errors import PluginError, Unavailable
from mirpipe.models import interpreters, weight_files, weight_verification
from mirpipe.specs import WeightFile

HELP = """
List, install, download and check the models.

Each encoder, metric, captioner and generator has a model. Without a subcommand, the command lists
their licences, and whether their weights and libraries are on this machine.

Weights are stored in MIRPIPE_MODELS_DIR as REPOSITORY/FILE. The default is the folder `models` in
MIRPIPE_HOME. Weights in the Hugging Face cache are used, too. If the machine has no network, copy
the weights folder from another machine.
"""

_HEADINGS = (
    *("kind", "name", "checkpoint", "licence\nof code", "licence\nof weights", "audio"),
    *("dimension", "weights", "library"),
)

app = typer.Typer(help=HELP, rich_markup_mode=None)


@dataclass(frozen=True)
class Model:
    """The model of one plug-in, as the list shows it."""

    kind: str
    name: str
    checkpoint: str
    sha256: str | None
    """SHA-256 from the publisher. None if there is no such hash, in which case later copies must be
    equal to the trusted first copy."""
    licence_code: str
    licence_weights: str
    sample_rate: int
    window_seconds: float | None
    """Length of an input window, in seconds. None for generators."""
    longest_seconds: float | None
    """Maximum duration of generated audio, in seconds. None for models that generate no audio."""
    dimension: int | None
    """Dimension of the vectors. None for models that compute no vectors."""
    citation: str
    weights: str
    """State of the weights: `shipped`, `present`, `random`, `missing`, `unconfirmed`, `refused` or
    `broken`."""
    trusted_on: str | None
    """Date (UTC) on which first copies without a published SHA-256 were trusted. None if there are
    no such copies."""
    library: str
    """Where the libraries are installed: `present` (this interpreter), `models` (the models
    interpreter) or `missing`."""
    remedy: str
    """What to do if weights or libraries are missing. Empty if nothing is missing."""


@app.callback(invoke_without_command=True)
def models(context: typer.Context, as_json: AsJson = False) -> None:
    """List the models of all plug-ins."""
    if context.invoked_subcommand:
        return
    rows = [_model(kind, name) for kind in registry.KINDS for name in kind.names()]
    if as_json:
        print(json.dumps([asdict(model) for model in rows]))
        return
    table = Table(box=None)
    for heading in _HEADINGS:
        table.add_column(heading, overflow="fold")
    for model in rows:
        table.add_row(
            model.kind,
            model.name,
            model.checkpoint,
            model.licence_code,
            model.licence_weights,
            _audio(model),
            "" if model.dimension is None else str(model.dimension),
            model.weights,
            model.library,
        )
    console = wide_console()
    print_table(console, table)
    for model in rows:
        if model.remedy:
            remedy = model.remedy.removeprefix(f"{model.name} ")
            lines = wrapped(f"{model.name}: {remedy}", console.width)
            console.print("\n".join(lines), markup=False, soft_wrap=True)
        if model.trusted_on:
            message = (
                f"{model.name}: you trusted these weights on first use on {model.trusted_on}. "
                "Their publisher states no SHA-256"
            )
            lines = wrapped(message, console.width)
            console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)


@app.command()
def install(
    torch: Annotated[
        str,
        typer.Option(
            metavar="BUILD",
            help="Build of torch: cpu, cuda, or another torch backend of uv, such as cu128 or "
            "rocm6.4.",
        ),
    ] = "cpu",
) -> None:
    """Install the model libraries in an environment of their own.

    They need about 2 GB. Their version requirements conflict with those of Airflow. mirpipe finds
    the environment by itself, unless MIRPIPE_MODELS_PYTHON names another one. After an
    interruption, run the command again.
    """
    from mirpipe.operations.install_models import install_models

    typer.echo("installing the model libraries: about 2 GB, some minutes", err=True)
    folder = install_models(torch)
    typer.echo(f"The model libraries are installed in {folder}. Next: mirpipe models pull NAME")


@app.command()
def pull(
    names: Annotated[
        list[str], typer.Argument(help="Plug-in names, as `mirpipe models` lists them.")
    ],
    trust_first_copy: Annotated[
        bool,
        typer.Option(
            "--trust-first-copy",
            help="Trust the first copy of files without a published SHA-256, without asking.",
        ),
    ] = False,
) -> None:
    """Download and verify the weights of plug-ins.

    An interrupted download is resumed. Set HF_ENDPOINT to download from a mirror. If the publisher
    states no SHA-256 of a file, the command asks whether you trust the first copy. It then records
    the SHA-256 of this copy, and mirpipe refuses any other copy.
    """
    from mirpipe.models import weight_download

    for name in names:
        needs = registry.plugins_of(name).needs(name)
        if not needs.weights:
            raise PluginError(
                f"{name} has no weights to download. It needs none, or they come with its code."
            )
        files = (*needs.weights, *needs.text_weights)
        trusts = trust_first_copy or _confirm_first_copies(name, files)
        for file in files:
            with progress_bar(f"{name}: {file.filename}, MB") as progress:
                path = weight_download.fetch(
                    file, plugin=name, trust_first_copy=trusts, progress=progress
                )
            print(path)


app.command()(check)


def _confirm_first_copies(name: str, files: Sequence[WeightFile]) -> bool:
    """Ask whether to trust the first copies of files without a published SHA-256.

    Returns whether the user confirmed them. Returns false if there are no such files, or if nobody
    can be asked because the command does not run in a terminal. Raises Abort if the answer is no.
    """
    unconfirmed = [file for file in files if weight_verification.is_unconfirmed(file)]
    if not unconfirmed or not _is_interactive():
        return False
    typer.echo(
        f"{name}: the publisher states no SHA-256 of these files, so mirpipe cannot check that the "
        "first copy is the original:",
        err=True,
    )
    for file in unconfirmed:
        typer.echo(f"  {file.repository}/{file.filename}", err=True)
    return typer.confirm("Do you trust the first copy?", abort=True, err=True)


def _is_interactive() -> bool:
    return sys.stdin.isatty()


def _model(kind: registry.Plugins[Any, Any], name: str) -> Model:
    spec, needs = kind.declared(name), kind.needs(name)
    weights, weights_remedy = _weights_state(kind, name)
    library, library_remedy = _library_state(name, needs.libraries)
    window_samples = getattr(spec, "window_samples", None)
    return Model(
        kind=kind.kind,
        name=name,
        checkpoint=spec.checkpoint,
        sha256=spec.checkpoint_sha256 or None,
        licence_code=spec.licence_code,
        licence_weights=spec.licence_weights,
        sample_rate=spec.sample_rate,
        window_seconds=window_samples and window_samples / spec.sample_rate,
        longest_seconds=getattr(spec, "longest_seconds", None),
        dimension=getattr(spec, "dimension", None),
        citation=spec.citation,
        weights=weights,
        trusted_on=weight_verification.trusted_on((*needs.weights, *needs.text_weights)),
        library=library,
        remedy=". ".join(filter(None, [library_remedy, weights_remedy])),
    )


def _audio(model: Model) -> str:
    """Return the duration and the sample rate of the model's input audio or generated audio."""
    if model.window_seconds is not None:
        length = f"{model.window_seconds:g} s"
    else:
        length = f"up to {model.longest_seconds:g} s"
    return f"{length} at {model.sample_rate / 1000:g} kHz"


def _weights_state(kind: registry.Plugins[Any, Any], name: str) -> tuple[str, str]:
    """Return the state of the plug-in's weights, and a remedy if they cannot be used."""
    needs = kind.needs(name)
    if not needs.weights:
        return "shipped", ""
    files = [weight_files.find_weights(file) for file in needs.weights]
    try:
        kind.spec(name)
    except Unavailable as problem:
        return problem.reason.removeprefix("weights_"), str(problem)
    except PluginError as problem:
        return "broken", str(problem)
    return ("random" if any(file and file.random for file in files) else "present"), ""


def _library_state(name: str, libraries: tuple[str, ...]) -> tuple[str, str]:
    """Return where the plug-in's libraries are installed, and a remedy if they are missing."""
    try:
        python = interpreters.find_python(libraries, plugin=name)
    except Unavailable as problem:
        return "missing", str(problem)
    return ("present" if python == interpreters.CURRENT_PYTHON else "models"), ""
