"""The command line: `support-bot demo`, `support-bot run`, and what an operator does beside a bot that runs."""

import logging
from importlib import metadata
from pathlib import Path

import click

from bot.evaluation.command import evaluate


@click.group()
@click.version_option(metadata.version("support-bot"), prog_name="support-bot")
@click.option("--verbose", is_flag=True, help="Log more.")
def main(*, verbose: bool) -> None:
    """Run a Slack support bot: order status at once, refunds only when a person approves."""
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )


@main.command()
@click.option("--port", default=8700, show_default=True, help="Port on localhost.")
@click.option("--browser/--no-browser", default=True, help="Open the page in a browser.")
@click.option(
    "--database",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("support-demo.db"),
    show_default=True,
    help="SQLite file for the log and the sample shop; it starts again empty with each demo.",
)
def demo(*, port: int, browser: bool, database: Path) -> None:
    """Start a workspace on localhost with the bot in it. Needs no Slack and no OpenAI account."""
    from bot import commands

    commands.serve_demo(port, database, browser=browser)


@main.command()
@click.option("--http", "http_port", type=int, help="Serve the Events API on this port, in place of Socket Mode.")
@click.option("--sample-orders", metavar="EMAIL", help="First fill an empty shop with sample orders of this customer.")
def run(*, http_port: int | None, sample_orders: str | None) -> None:
    """Run the bot in a real workspace. Settings come from the environment and .env; README lists them."""
    from bot import commands

    commands.serve_slack(http_port, sample_orders)


@main.command()
def pause() -> None:
    """Stop whatever needs an approval, at once and in every process; cards say so, and requests stay open."""
    from bot import commands

    commands.pause()


@main.command()
def resume() -> None:
    """Let requests be approved again."""
    from bot import commands

    commands.resume()


@main.command()
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
def backup(target: Path) -> None:
    """Copy the database to TARGET, also while the bot runs."""
    from bot import commands

    commands.copy_database(target)


@main.command()
@click.argument("user")
def forget(user: str) -> None:
    """Erase every thread in which the Slack user USER (U…) wrote; finished requests stay, without a name."""
    from bot import commands

    commands.forget(user)


@main.command()
@click.argument("reference")
@click.argument("outcome", type=click.Choice(["done", "not-done"]))
@click.option("--why", required=True, help="What was found out, in a sentence; card and thread show it.")
def settle(reference: str, outcome: str, *, why: str) -> None:
    """Say what became of the request REFERENCE, when the shop does not tell and somebody has looked."""
    from bot import commands

    commands.settle(reference, why, done=outcome == "done")


main.add_command(evaluate)


if __name__ == "__main__":
    main()
