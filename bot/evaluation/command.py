"""`support-bot eval` on the command line; what it does is imported when it is started, so that help stays fast."""

import sys
from pathlib import Path
from typing import Any

import click

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(name="eval")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--offline", is_flag=True, help="Check all files, and play what the offline model is meant to pass.")
@click.option("--model", help="The model, in place of OPENAI_MODEL.")
@click.option("--base-url", help="Its server, in place of OPENAI_BASE_URL.")
@click.option(
    "--only", metavar="PATTERN", multiple=True, help="Group, name or tag, such as injections or 'refunds/two-*'."
)
@click.option("--repeat", type=click.IntRange(1, 100), default=1, show_default=True, help="Times to play each; k.")
@click.option("--jobs", type=click.IntRange(1, 64), default=4, show_default=True, help="Conversations at a time.")
@click.option("--price-in", type=click.FloatRange(0), help="Dollars for a million tokens read.")
@click.option("--price-out", type=click.FloatRange(0), help="Dollars for a million tokens written.")
@click.option("--price-cached", type=click.FloatRange(0), help="Of tokens read from a cache; else as --price-in.")
@click.option("--pass-rate", type=click.FloatRange(0, 100), default=100, show_default=True, help="Percent that must.")
@click.option("--strict", is_flag=True, help="Let a failed soft check fail the run, too.")
@click.option("--json", "json_file", type=_FILE, help="Write everything there, for --compare.")
@click.option("--junit", "junit_file", type=_FILE, help="Write JUnit XML there, for a CI.")
@click.option("--list", "list_only", is_flag=True, help="Check all files and list the conversations.")
@click.option("--compare", nargs=2, type=_FILE, metavar="A.JSON B.JSON", help="Show two written runs side by side.")
def evaluate(*, compare: tuple[Path, Path] | None, list_only: bool, **options: Any) -> None:
    """Play conversations with a language model through the bot, and tell how well it does.

    PATHS are YAML files and folders of them; without any, the conversations that come with the bot. Nothing of the
    real workspace or shop is touched. The exit status is 0 when the model does what it must (with --compare: when the
    second run always passes what the first did), 1 when not, 2 when nothing can be said.
    """
    from bot.evaluation import run

    try:
        if compare:
            text, passed = run.compare(*compare)
        elif list_only:
            text, passed = run.listing(options["paths"], options["only"]), True
        else:
            verbose = bool(click.get_current_context().find_root().params.get("verbose"))
            text, passed = run.evaluate(
                run.Options(**options, verbose=verbose), lambda line: click.echo(line, err=True)
            )
    except run.ERRORS as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2)
    click.echo(text)
    sys.exit(0 if passed else 1)
