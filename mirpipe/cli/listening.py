"""`mirpipe listening`: creates listening tests and their links, and prints the results."""

import json
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.table import Table

from mirpipe.cli.command_arguments import AsJson
from mirpipe.cli.table_layout import print_table
from mirpipe.cli.terminal_text import escape_markup, wide_console
from mirpipe.settings import settings

HELP = """
Ask people which answers are better, with listening tests.

A test compares the encoders, or the modes of generation, in a run. People listen without knowing
what they compare. Each of them needs only a link, and nothing is stored about a person.

Examples:

\b
    mirpipe listening create --kind answers  make a test of the latest run
    mirpipe listening link answers-run7 --count 20
    mirpipe listening serve                  start the pages of the links
    mirpipe listening list
    mirpipe listening results answers-run7
"""

app = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode=None)

TestName = Annotated[str, typer.Argument(metavar="TEST", help="Name of the listening test.")]


@app.command()
def create(
    run: Annotated[
        int | None, typer.Argument(metavar="RUN", help="Number of the run. Default: the latest.")
    ] = None,
    kind: Annotated[
        Literal["answers", "clips", "rating"], typer.Option(help="What people are asked.")
    ] = "answers",
    name: Annotated[
        str | None, typer.Option(help="Name of the test. Default: KIND-runRUN.")
    ] = None,
    subject: Annotated[
        list[str] | None,
        typer.Option(
            help="Encoder, or generator with mode and guidance, to compare. Repeat for several. "
            "Default: all in the run."
        ),
    ] = None,
    questions: Annotated[
        int, typer.Option(min=1, help="About how many questions each person gets.")
    ] = 24,
    controls: Annotated[
        int, typer.Option(min=0, help="How many questions are added whose answer is known.")
    ] = 3,
    repeats: Annotated[
        int, typer.Option(min=0, help="How many questions are asked again at the end.")
    ] = 3,
    seconds: Annotated[
        float, typer.Option(min=2, max=60, help="Length of the excerpts, in seconds.")
    ] = 15,
    order: Annotated[
        Literal["balanced", "adaptive"],
        typer.Option(help="adaptive: later links ask more about pairs that are still uncertain."),
    ] = "balanced",
    seed: Annotated[int, typer.Option(help="Seed from which the questions are drawn.")] = 1,
    consent: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Text that a person must accept before the first vote."),
    ] = None,
) -> None:
    """Create a listening test from a run.

    \b
        answers  Which of two best matches is more similar to the target?
        clips    Which of two clips is more similar? Which is better music?
        rating   How similar is a best match or a clip, from 1 to 5?

    Each pair of subjects is compared equally often, in an order and on sides that are balanced over
    the listeners. In an adaptive order, a new link contains more questions about pairs whose result
    is still uncertain. Then create links in several steps, between votes; intervals and p-values
    are approximate.

    Some questions compare a near copy of the target with a random reference. The results leave
    out listeners who fail too many of these; the limit is stored before the first vote. If the
    command is repeated with the same options, it changes nothing.
    """
    from mirpipe.db.queries import latest_run
    from mirpipe.db.queries.sentence_parts import counted
    from mirpipe.listening.create_test import CONSENT, ListeningOptions, create_test
    from mirpipe.listening.shortages import shortages

    if name is not None and not name.strip():
        raise typer.BadParameter("Write a name, or leave out --name.", param_hint="--name")
    if name is not None and name.startswith("-"):
        raise typer.BadParameter(
            "The other commands would read a name that begins with a hyphen as an option. Choose "
            "another name.",
            param_hint="--name",
        )
    options = ListeningOptions(
        kind,
        subjects=subject or (),
        questions=questions,
        controls=controls,
        repeats=repeats,
        excerpt_seconds=seconds,
        consent=CONSENT if consent is None else _read_text(consent),
        order=order,
    )
    latest = latest_run()
    run_id = latest.run_id if run is None and latest is not None else run
    test = create_test(name or f"{kind}-run{run_id}", run_id, options, seed=seed)
    repeated = min(repeats, test.questions_n)
    asked = test.questions_n
    if order == "adaptive":
        asked = min(questions, asked)
    typer.echo(
        f"listening test {test.name}: {counted(asked, 'question')}, "
        f"{counted(test.controls_n, 'control')} and {counted(repeated, 'repeat')} for each person"
    )
    for sentence in shortages(test, options):
        typer.echo(sentence, err=True)
    typer.echo(f"Next: mirpipe listening link {shlex.quote(test.name)} --count 20", err=True)


@app.command()
def link(
    test: TestName,
    count: Annotated[int, typer.Option(min=1, max=1000, help="Number of new links.")] = 1,
    address: Annotated[
        str | None,
        typer.Option(
            help="Start of the links: the address at which people reach `mirpipe listening serve`. "
            "Default: the address on this machine."
        ),
    ] = None,
) -> None:
    """Create links, one for each person, and print them.

    A link opens only the questions and votes of one person. It can be opened again to continue.
    Links are not stored and cannot be shown again. A link that nobody opens changes no result.
    """
    from mirpipe.db.queries.listening_tests import listening_test
    from mirpipe.listening.create_links import create_tokens
    from mirpipe.orchestration.server_address import local_url

    start = address or local_url(settings().bind, settings().listening_port)
    for token in create_tokens(listening_test(test), count):
        print(f"{start.rstrip('/')}/{token}")


@app.command()
def serve() -> None:
    """Start the pages on which people vote.

    Each person reaches them by a link. They are apart from the dashboard, show no title and no file
    name, and play all audio at the same level if its peaks permit. They run until you press Ctrl-C.
    If the embedded Postgres is not running, it is started, and keeps running. On your own server,
    MIRPIPE_LISTENER_URL must name a login that can do nothing else.
    """
    from mirpipe.cli.serve_app import serve_app
    from mirpipe.db.listener_functions import require_own_login
    from mirpipe.listening.voting_app import MAX_CONNECTIONS, create_app

    require_own_login()
    serve_app(
        create_app,
        role="listener",
        port=settings().listening_port,
        max_connections=MAX_CONNECTIONS,
        announce="links start with  {url}",
        if_port_is_used="set MIRPIPE_LISTENING_PORT to another port, and create the links again",
    )


@app.command(name="list")
def list_tests(as_json: AsJson = False) -> None:
    """List the listening tests, with their links and votes."""
    from mirpipe.db.queries.listening_tests import listening_tests

    tests = listening_tests()
    if as_json:
        print(json.dumps([asdict(test) for test in tests], default=str))
        return
    table = Table("test", "kind", "run", "links", "listeners", "complete", "votes", box=None)
    for test in tests:
        numbers = (test.run_id, test.links_n, test.listeners_n, test.complete_n)
        votes = f"{test.votes_n} of {test.asked_n}"
        table.add_row(escape_markup(test.name), test.kind, *map(str, numbers), votes)
    print_table(wide_console(), table)


@app.command()
def results(test: TestName, as_json: AsJson = False) -> None:
    """Print the results of a listening test.

    Listeners who failed too many controls are left out. The strengths come from Davidson's model,
    which extends the model of Bradley and Terry by ties, with intervals over listeners. The
    comparisons are sign-flip tests over targets, as for metrics. The last table says how well each
    metric predicts the votes. The results are also stored for the dashboard. They contain sums over
    listeners; the votes on each target are left out while fewer than five listeners count.
    """
    from mirpipe.cli.listening_tables import listening_sections
    from mirpipe.cli.result_tables import print_sections
    from mirpipe.db.queries.listening_tests import listening_test
    from mirpipe.listening.stored_results import compute_results

    found = compute_results(listening_test(test))
    if as_json:
        print(json.dumps(asdict(found)))
    else:
        print_sections(listening_sections(found))


def _read_text(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as error:
        raise typer.BadParameter(f"Cannot read {path}: {error}", param_hint="--consent") from None
    if not text or "\0" in text:
        raise typer.BadParameter(
            f"{path} contains no text. Write what people must know before they agree.",
            param_hint="--consent",
        )
    return text
