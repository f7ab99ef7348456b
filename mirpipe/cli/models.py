"""`mirpipe models`: what each encoder runs on, what of it is here, and fetching the rest."""

import json
from dataclasses import asdict, dataclass
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from mirpipe import download, interpreters, registry, weights
from mirpipe.cli.progress import bar
from mirpipe.cli.tables import PLAIN_COLUMNS
from mirpipe.errors import PluginError, Unavailable

HELP = """
The models behind the encoders: weights, licences, and what of them is on this machine.

Weights are looked for in MIRPIPE_MODELS_DIR (default: the folder `models` in MIRPIPE_HOME) as
REPOSITORY/FILE, then in the hub's own cache. Where no network is, copy that folder.
"""

app = typer.Typer(help=HELP, rich_markup_mode=None)


@dataclass(frozen=True)
class Model:
    """One encoder's model, for reading."""

    name: str
    checkpoint: str
    sha256: str | None
    """As the publisher gives it; None: that of the first file that was seen is held to."""
    licence_code: str
    licence_weights: str
    sample_rate: int
    window_seconds: float
    dimension: int
    citation: str
    weights: str
    library: str
    remedy: str


@app.callback(invoke_without_command=True)
def models(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the models, their licences, and whether weights and libraries are here."""
    if context.invoked_subcommand:
        return
    found = [_model(name) for name in registry.ENCODERS.names()]
    if as_json:
        print(json.dumps([asdict(model) for model in found]))
        return
    table = Table(box=None)
    for heading in ("encoder", "checkpoint", "code", "weights", "input", "dim", "here", "library"):
        table.add_column(heading, overflow="fold")
    for model in found:
        table.add_row(
            model.name,
            model.checkpoint,
            model.licence_code,
            model.licence_weights,
            f"{model.window_seconds:g} s at {model.sample_rate / 1000:g} kHz",
            str(model.dimension),
            model.weights,
            model.library,
        )
    console = Console()
    if not console.is_terminal:
        console = Console(width=PLAIN_COLUMNS)
    console.print(table)
    for model in found:
        if model.remedy:
            console.print(f"{model.name}: {model.remedy}", markup=False, soft_wrap=True)


@app.command()
def pull(
    names: Annotated[list[str], typer.Argument(help="Encoders as `mirpipe models` lists them.")],
) -> None:
    """Fetch the weights of these encoders, with progress, and check them.

    A download that broke off goes on where it stopped. HF_ENDPOINT names a mirror.
    """
    for name in names:
        needs = registry.ENCODERS.needs(name)
        if not needs.weights:
            raise PluginError(f"{name} needs no weights that could be fetched: they come with it")
        for file in (*needs.weights, *needs.text_weights):
            with bar(f"{name}: {file.filename}, MB") as progress:
                path = download.fetch(file, progress=progress)
            print(path)


def _model(name: str) -> Model:
    spec, needs = registry.ENCODERS.declared(name), registry.ENCODERS.needs(name)
    state, remedy = _weights(name)
    library, make = _library(needs.libraries)
    return Model(
        name=name,
        checkpoint=spec.checkpoint,
        sha256=spec.checkpoint_sha256 or None,
        licence_code=spec.licence_code,
        licence_weights=spec.licence_weights,
        sample_rate=spec.sample_rate,
        window_seconds=spec.window_samples / spec.sample_rate,
        dimension=spec.dimension,
        citation=spec.citation,
        weights=state,
        library=library,
        remedy="; ".join(filter(None, [make, remedy])),
    )


def _weights(name: str) -> tuple[str, str]:
    needs = registry.ENCODERS.needs(name)
    if not needs.weights:
        return "shipped", ""
    found = [weights.find(file) for file in needs.weights]
    try:
        registry.ENCODERS.spec(name)
    except Unavailable as problem:
        return problem.reason.removeprefix("weights_"), str(problem)
    return ("random" if any(file and file.random for file in found) else "present"), ""


def _library(libraries: tuple[str, ...]) -> tuple[str, str]:
    try:
        python = interpreters.python_with(libraries)
    except Unavailable as problem:
        return "missing", str(problem)
    return ("present" if python == interpreters.HERE else "present (models)"), ""
