"""The command line: `support-bot demo`, `support-bot run`, and what an operator does beside a bot that runs."""

from importlib import metadata
from pathlib import Path
from typing import Literal

import click

from bot.evaluation.command import evaluate

PORT = click.IntRange(0, 65_535)
COUNT = click.IntRange(1, 1_000_000)
LINE = click.IntRange(1, 10_000)


@click.group()
@click.version_option(metadata.version("support-bot"), prog_name="support-bot")
@click.option("--verbose", is_flag=True, help="Log what the bot does in more detail.")
@click.option(
    "--log-format",
    type=click.Choice(["auto", "text", "json"]),
    default="auto",
    show_default=True,
    help="How the log on stderr is written; auto is text on a terminal and JSON elsewhere.",
)
@click.option(
    "--env-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with settings, in place of .env in the current folder; the environment wins over both.",
)
@click.pass_context
def main(context: click.Context, *, verbose: bool, log_format: str, env_file: Path | None) -> None:
    """Run a Slack support bot: order status at once, refunds only when a person approves."""
    from bot import logs

    logs.configure(log_format, verbose=verbose, quiet=context.invoked_subcommand != "run")
    if env_file is not None:
        from bot.environment import use_env_file

        use_env_file(env_file)


@main.command()
@click.option("--port", type=PORT, default=8700, show_default=True, help="Port on localhost.")
@click.option("--browser/--no-browser", default=True, help="Open the page in a browser.")
@click.option(
    "--database",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("support-demo.db"),
    show_default=True,
    help="SQLite file for the log and the sample shop; it starts again empty with each demo.",
)
@click.option(
    "--shop",
    default="sqlite",
    show_default=True,
    help="The sample shop, or one that BOT_SHOP could name, with its settings; what is approved there is done.",
)
def demo(*, port: int, browser: bool, database: Path, shop: str) -> None:
    """Start a workspace on localhost with the bot in it. Needs no Slack and no OpenAI account."""
    from bot import commands

    commands.serve_demo(port, database, shop, browser=browser)


@main.command()
@click.option("--http", "http_port", type=PORT, help="Serve the Events API on this port, in place of Socket Mode.")
@click.option(
    "--host",
    default="0.0.0.0",  # noqa: S104 - Slack and supervisors come from outside
    show_default=True,
    help="Address to serve on, with --http or health checks.",
)
@click.option("--sample-orders", metavar="EMAIL", help="First fill an empty shop with sample orders of this customer.")
def run(*, http_port: int | None, host: str, sample_orders: str | None) -> None:
    """Run the bot in a real workspace. Settings come from the environment and .env; README lists them."""
    from bot import commands

    commands.serve_slack(http_port, host, sample_orders)


@main.command()
@click.option("--http", is_flag=True, help="Check for the Events API, in place of Socket Mode.")
@click.option("--json", "as_json", is_flag=True, help="Write the findings as JSON.")
def check(*, http: bool, as_json: bool) -> None:
    """Check all that the bot needs, and say what to do.

    That is Slack, the model, the shop and the database. Ends with 1 when the bot could not start.
    """
    from bot.operator import commands

    commands.check_all(http=http, json=as_json)


@main.command("migrate-database")
@click.argument("source")
@click.argument("target")
def migrate_database(*, source: str, target: str) -> None:
    """Move a stopped bot's tables from SOURCE to TARGET.

    Each is a SQLite file or a `postgresql://` address. TARGET is empty, or holds what was moved there already; SOURCE
    stays as it is. The built-in shop stays in its own file.
    """
    from bot.operator import commands

    commands.migrate_database(source, target)


@main.command()
@click.argument("what", required=False)
@click.argument("target", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--follow", "-f", is_flag=True, help="Go on with every call that is new or moves on, until Ctrl-C.")
@click.option("--json", "form", flag_value="json", help="Write JSON.")
@click.option("--csv", "form", flag_value="csv", help="Write CSV.")
@click.option("--tool", help="Only calls of this tool, and stories with one.")
@click.option("--status", help="Only calls with this status, and stories with one.")
@click.option("--day", help="Only calls of this day in UTC, and stories with one: 2026-11-25, today or yesterday.")
@click.option("--limit", "-n", default=20, show_default=True, type=COUNT, help="How many calls.")
def log(
    *,
    what: str | None,
    target: Path | None,
    follow: bool,
    form: Literal["json", "csv"] | None,
    tool: str | None,
    status: str | None,
    day: str | None,
    limit: int,
) -> None:
    """Show the latest calls, or the story of WHAT.

    WHAT is an order's number, a reference that somebody was told, a link to a message in Slack, or a person as @name.
    `pending` is what waits for a person, `today` is the day in six lines. `export FILE` copies the log, as it is at
    this moment, into a SQLite file, for sqlite-utils and datasette.
    """
    from bot.operator import commands

    if (what == "export") != (target is not None):
        raise click.UsageError("`log export FILE` takes a file, and nothing else does.")
    if target is not None:
        commands.export_log(target)
        return
    commands.show_log(what, form or "text", follow=follow, tool=tool, status=status, day=day, limit=limit)


@main.command()
@click.option("--head", help="The head that an earlier `verify` showed; it is to be a part of the log still.")
def verify(*, head: str | None) -> None:
    """Verify that nothing else has changed the log.

    A finished call that was changed, added or removed by anything but the bot is named.
    """
    from bot.operator import commands

    commands.verify_log(head)


@main.command()
@click.argument("reference")
def retry(reference: str) -> None:
    """Try again what failed.

    REFERENCE is what somebody was told when their message could not be answered, or the id of a post that Slack did
    not take.
    """
    from bot.operator import commands

    commands.retry(reference)


@main.command()
def pause() -> None:
    """Stop whatever needs an approval.

    At once and in every process; cards say so, and requests stay open.
    """
    from bot.operator import commands

    commands.pause()


@main.command()
def resume() -> None:
    """Resume approvals."""
    from bot.operator import commands

    commands.resume()


@main.command()
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
def backup(target: Path) -> None:
    """Copy the database to TARGET while the bot runs."""
    from bot.operator import commands

    commands.copy_database(target)


@main.command()
@click.argument("backup", type=click.Path(dir_okay=False, path_type=Path))
def restore(backup: Path) -> None:
    """Put BACKUP in the database's place.

    While no bot runs; what was there stays beside it, and approvals are paused until `support-bot resume`.
    """
    from bot.operator import commands

    commands.restore_database(backup)


@main.command()
@click.argument("user")
def forget(user: str) -> None:
    """Erase every thread in which USER wrote.

    USER is an id in Slack (U…). Finished requests stay, without a name.
    """
    from bot.operator import commands

    commands.forget(user)


@main.group()
def mcp() -> None:
    """Look after the tools that come from MCP servers."""


@mcp.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
def pin(*, yes: bool) -> None:
    """Show what the servers of BOT_MCP say of the tools that are to be offered, and trust it."""
    from bot.operator import commands

    commands.pin_mcp_tools(yes=yes)


@main.command()
@click.argument("reference")
@click.argument("outcome", type=click.Choice(["done", "not-done"]))
@click.option("--why", required=True, help="What was found out, in a sentence; card and thread show it.")
def settle(reference: str, outcome: str, *, why: str) -> None:
    """Say what became of the request REFERENCE, when the shop does not tell and somebody has looked."""
    from bot.operator import commands

    commands.settle(reference, why, done=outcome == "done")


@main.command()
@click.argument("order")
@click.option("--line", "lines", type=LINE, multiple=True, help="Only this line; may be given again.")
def received(order: str, lines: tuple[int, ...]) -> None:
    """Say that what was sent back of ORDER has arrived, at the built-in shop.

    Its refund is asked for in the thread of the return, for an approver to decide.
    """
    from bot.operator import commands

    commands.note_received(order, lines)


main.add_command(evaluate)


if __name__ == "__main__":
    main(prog_name="support-bot")
