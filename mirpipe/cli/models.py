"""`mirpipe models`: what each plug-in runs on, what of it is here, and fetching the rest."""

import json
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import typer
from rich.table import Table

from mirpipe import registry
from mirpipe.cli.progress_bar import bar
from mirpipe.cli.result_tables import wide_console
from mirpipe.errors import PluginError, Unavailable
from mirpipe.models import interpreters
from mirpipe.models import weight_files as weights

HELP = """
The models behind the plug-ins: weights, licences, and what of them is on this machine.

Weights are looked for in MIRPIPE_MODELS_DIR (default: the folder `models` in MIRPIPE_HOME) as
REPOSITORY/FILE, then in the hub's own cache. Where no network is, copy that folder.
"""

_HEADINGS = ("kind", "name", "checkpoint", "code", "weights", "audio", "dim", "here", "library")

app = typer.Typer(help=HELP, rich_markup_mode=None)


@dataclass(frozen=True)
class Model:
    """One plug-in's model, for reading."""

    kind: str
    name: str
    checkpoint: str
    sha256: str | None
    """As the publisher gives it; None: that of the first file that was seen is held to."""
    licence_code: str
    licence_weights: str
    sample_rate: int
    window_seconds: float | None
    """None where it hears no windows."""
    longest_seconds: float | None
    """Of what it makes; None where it makes no music."""
    dimension: int | None
    """None where it makes no vectors."""
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
    found = [_model(kind, name) for kind in registry.KINDS for name in kind.names()]
    if as_json:
        print(json.dumps([asdict(model) for model in found]))
        return
    table = Table(box=None)
    for heading in _HEADINGS:
        table.add_column(heading, overflow="fold")
    for model in found:
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
    console.print(table)
    for model in found:
        if model.remedy:
            console.print(f"{model.name}: {model.remedy}", markup=False, soft_wrap=True)


@app.command()
def pull(
    names: Annotated[list[str], typer.Argument(help="Plug-ins as `mirpipe models` lists them.")],
) -> None:
    """Fetch the weights of these plug-ins, with progress, and check them.

    A download that broke off goes on where it stopped. HF_ENDPOINT names a mirror.
    """
    from mirpipe.models import weight_download

    for name in names:
        needs = registry.plugins_of(name).needs(name)
        if not needs.weights:
            raise PluginError(f"{name} needs no weights that could be fetched: they come with it")
        for file in (*needs.weights, *needs.text_weights):
            with bar(f"{name}: {file.filename}, MB") as progress:
                path = weight_download.fetch(file, progress=progress)
            print(path)


def _model(kind: registry.Plugins[Any, Any], name: str) -> Model:
    spec, needs = kind.declared(name), kind.needs(name)
    state, remedy = _weights(kind, name)
    library, make = _library(needs.libraries)
    window = getattr(spec, "window_samples", None)
    return Model(
        kind=kind.kind,
        name=name,
        checkpoint=spec.checkpoint,
        sha256=spec.checkpoint_sha256 or None,
        licence_code=spec.licence_code,
        licence_weights=spec.licence_weights,
        sample_rate=spec.sample_rate,
        window_seconds=window and window / spec.sample_rate,
        longest_seconds=getattr(spec, "longest_seconds", None),
        dimension=getattr(spec, "dimension", None),
        citation=spec.citation,
        weights=state,
        library=library,
        remedy="; ".join(filter(None, [make, remedy])),
    )


def _audio(model: Model) -> str:
    if model.window_seconds is not None:
        length = f"{model.window_seconds:g} s"
    else:
        length = f"up to {model.longest_seconds:g} s"
    return f"{length} at {model.sample_rate / 1000:g} kHz"


def _weights(kind: registry.Plugins[Any, Any], name: str) -> tuple[str, str]:
    needs = kind.needs(name)
    if not needs.weights:
        return "shipped", ""
    found = [weights.find(file) for file in needs.weights]
    try:
        kind.spec(name)
    except Unavailable as problem:
        return problem.reason.removeprefix("weights_"), str(problem)
    return ("random" if any(file and file.random for file in found) else "present"), ""


def _library(libraries: tuple[str, ...]) -> tuple[str, str]:
    try:
        python = interpreters.python_with(libraries)
    except Unavailable as problem:
        return "missing", str(problem)
    return ("present" if python == interpreters.HERE else "models"), ""
