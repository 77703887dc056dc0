"""`support-bot check` and the start: each thing that is wrong by name, with what to do."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.operator.check.finding import Level
from bot.operator.check.machine import check_database, file_system_of
from bot.slack.intake import EVENTS
from bot.slack.scopes import SCOPES
from bot.testing.openai import Answer, Failure, Request
from bot.testing.serving import serving
from bot.testing.slack.workspace import Channel, Person
from tests.operator.command import ask, give
from tests.process import BotProcess
from tests.world import SAM, TEAM, World, sorted_as, status_of

MANIFEST = {
    "settings": {"event_subscriptions": {"bot_events": list(EVENTS)}, "interactivity": {"is_enabled": True}},
}


@pytest.fixture
def able(world: World) -> World:
    """Give a world whose model calls tools and keeps schemas, and whose app is configured as the manifest says."""

    async def think(_: Request) -> Answer | Failure:
        return status_of("ORD-10234")

    world.think, world.intent = think, sorted_as("order_status")
    world.slack.manifest = MANIFEST
    return world


async def findings(world: World, *arguments: str, **changes: Any) -> dict[str, list[dict[str, str]]]:
    """Check, and return the findings by what they are about."""
    said = await ask(world, "check", "--json", *arguments, **changes)
    told = json.loads(said.out)
    assert said.code == (0 if told["can_start"] else 1), said.errors
    about: dict[str, list[dict[str, str]]] = {}
    for finding in told["findings"]:
        about.setdefault(finding["about"], []).append(finding)
    return about


@pytest.mark.sqlite_file
async def test_all_is_well(able: World) -> None:
    """Where all is well each line begins with a check mark and says what was found, and the command ends with 0."""
    said = await ask(able, "check", SLACK_CONFIG_TOKEN=able.slack.config_token, OPENAI_FALLBACK_MODEL="other-model")
    assert said.code == 0, said.out
    assert said.errors == ""
    *lines, end = said.lines
    marks = {line.split()[1]: line[0] for line in lines if not line.startswith("!")}
    assert set(marks.values()) == {"\u2713"}
    told = said.out
    assert "support_bot (U0BOT) in Acme Shop (demo) (T0ACME)" in told
    assert f"All {len(SCOPES)} of manifest.yml." in told
    assert f"All {len(EVENTS)} of manifest.yml, and interactivity." in told
    assert f"Sam Lee ({SAM})." in told
    assert "BOT_ESCALATION_CHANNEL is #support-team, and the bot is in it." in told
    assert "scripted-model answers in " in told
    assert "calls a tool, keeps a schema" in told
    assert "14 orders of 3 customers, 3 with an e-mail address" in told
    assert f"{able.database} can be written" in told
    assert end.startswith("The bot can start")


async def test_what_is_not_in_the_list_of_models(able: World) -> None:
    """A fallback that its server does not list is a line of its own, with what to correct and what there is."""
    (found,) = (await findings(able, OPENAI_FALLBACK_MODEL="other-model"))["fallback"]
    assert found["level"] == "warning"
    assert "lists no model other-model." in found["found"]
    assert found["advice"] == "Correct OPENAI_FALLBACK_MODEL; it has scripted-model."


@pytest.mark.parametrize("scope", ["chat:write", "usergroups:read"])
async def test_missing_scope(able: World, scope: str) -> None:
    """A missing scope is named, with what it is for and where to add it; it is fatal when nobody got an answer."""
    able.slack.scopes = frozenset(SCOPES) - {scope}
    (found,) = (await findings(able))["scopes"]
    assert found["found"] == f"{scope} is missing, by which the bot {SCOPES[scope]}."
    assert "OAuth & Permissions, Bot Token Scopes" in found["advice"]
    assert found["level"] == ("fatal" if scope == "chat:write" else "warning")


async def test_missing_event(able: World) -> None:
    """With a configuration token each event that is not subscribed to is named; without one it is unknown."""
    settings = {"event_subscriptions": {"bot_events": ["app_mention"]}, "interactivity": {"is_enabled": True}}
    able.slack.manifest = {"settings": settings}
    links = "https://shop.example.com/orders/{order}"
    told = await findings(able, SLACK_CONFIG_TOKEN=able.slack.config_token, BOT_ORDER_LINKS=links)
    *missing, domain = told["events"]
    assert domain["found"] == "shop.example.com is no unfurl domain, so links to orders stay as they are."
    assert [found["found"].split()[0] for found in missing] == [one for one in EVENTS if one != "app_mention"]
    assert [found["level"] for found in missing] == ["warning"] * 4 + ["fatal"] * 4
    assert all("Subscribe to bot events" in found["advice"] for found in missing)
    (unknown,) = (await findings(able))["events"]
    assert unknown["level"] == "unknown"


@pytest.mark.parametrize(
    ("changes", "about", "level", "words"),
    [
        ({"SLACK_BOT_TOKEN": "xoxb-wrong"}, "bot token", "fatal", "Slack refuses SLACK_BOT_TOKEN: invalid_auth."),
        ({"SLACK_APP_TOKEN": "xapp-wrong"}, "app token", "fatal", "Slack refuses SLACK_APP_TOKEN: invalid_auth."),
        ({"BOT_APPROVERS": "U0NOBODY"}, "approvers", "fatal", "Slack knows nobody with the id U0NOBODY"),
        ({"BOT_APPROVERS": "S0NOGROUP"}, "approvers", "fatal", "Slack knows nobody with the id S0NOGROUP"),
        ({"BOT_APPROVERS": "U0GONE"}, "approvers", "fatal", "Gone Person (U0GONE) is deactivated."),
        ({"BOT_ESCALATE_APPROVERS": "U0NOBODY"}, "next approvers", "fatal", "Slack knows nobody with the id U0NOBODY"),
        (
            {"BOT_SECOND_APPROVER_OVER": "100"},
            "approvers",
            "warning",
            "Something needs two approvers, and there is one.",
        ),
        ({"BOT_APPROVAL_POLICY": "rules"}, "approval policy", "fatal", "“rules” is no package.module:function"),
        ({"BOT_STAFF": "U0NOBODY"}, "staff", "warning", "Slack knows nobody with the id U0NOBODY"),
        (
            {"BOT_APPROVAL_CHANNEL": "C0NONE"},
            "channel",
            "fatal",
            "BOT_APPROVAL_CHANNEL: Slack shows the bot no channel",
        ),
        ({"BOT_APPROVAL_CHANNEL": "C0OUT"}, "channel", "fatal", "BOT_APPROVAL_CHANNEL: the bot is not in #outside."),
        ({"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}, "model", "warning", "http://127.0.0.1:9/v1 does not answer"),
        ({"BOT_APPROVER": "U0SAM"}, "settings", "warning", "BOT_APPROVER is no setting of the bot."),
        ({"BOT_DATABASE": "nowhere/support.db"}, "database", "fatal", "is not there."),
        ({"BOT_DATABASE": "."}, "database", "fatal", "is a folder."),
    ],
)
async def test_what_is_wrong(able: World, changes: dict[str, str], about: str, level: str, words: str) -> None:
    """Whatever is wrong is one line under its own name that says what."""
    able.workspace.add(Person("U0GONE", "gone", "Gone Person", deleted=True))
    able.workspace.add(Channel("C0OUT", "outside", "channel", frozenset({SAM})))
    found = (await findings(able, **changes))[about]
    assert [one["level"] for one in found if words in one["found"]] == [level], found


async def test_one_of_several_approvers(able: World) -> None:
    """One approver with a typo among others is a warning: the others can still approve."""
    found = (await findings(able, BOT_APPROVERS=f"{SAM},U0NOBODY"))["approvers"]
    assert [(one["level"], one["found"].split(" (")[0]) for one in found] == [
        ("ok", "Sam Lee"),
        ("warning", "Slack knows nobody with the id U0NOBODY"),
    ]


async def test_near_miss_of_a_setting(able: World) -> None:
    """A variable that is almost a setting, here or in the file of settings, is named with the one that is meant."""
    (able.database.parent / ".env").write_text("BOT_MAX_STEP=3\n")
    found = (await findings(able, SLACK_BOT_TOKENS="xoxb-1"))["settings"]
    assert [(one["found"].split()[0], one["advice"]) for one in found] == [
        ("BOT_MAX_STEP", "Is BOT_MAX_STEPS meant?"),
        ("SLACK_BOT_TOKENS", "Is SLACK_BOT_TOKEN meant?"),
    ]


def answering(text: str) -> Callable[[Request], Any]:
    """Make a model that says this and nothing else."""

    async def think(_: Request) -> Answer | Failure:
        return Answer(text)

    return think


async def test_model_without_tools(able: World) -> None:
    """A model that answers without calling the tool, or that keeps no schema, is told of with what that means."""
    able.think, able.intent = answering("It is on its way, surely."), Answer("no idea")
    found = (await findings(able))["model"]
    assert [one["found"].partition(":")[0] for one in found] == [
        "scripted-model answers, but called no tool when it should have.",
        "scripted-model does not keep a schema",
    ]


@asynccontextmanager
async def model_server(handler: Callable[[web.Request], Any]) -> AsyncIterator[str]:
    """Serve a model server of our own."""
    app = web.Application()
    app.router.add_route("*", "/v1/{rest:.*}", handler)
    async with serving(app) as url:
        yield f"{url}/v1"


async def refuse(_: web.Request) -> web.Response:
    """Refuse a key as OpenAI does."""
    return web.json_response({"error": {"message": "Incorrect API key", "code": "invalid_api_key"}}, status=401)


async def test_refused_key_stops_a_start(able: World, tmp_path: Path) -> None:
    """A key that the model's server refuses is fatal to `check`, and `run` ends at once with the same words."""
    async with model_server(refuse) as url:
        (found,) = (await findings(able, OPENAI_BASE_URL=url))["model"]
        assert found["found"] == f"{url} refuses OPENAI_API_KEY (401)."
        process = BotProcess(able, errors=tmp_path / "errors", openai_base_url=url)
        assert await process.ended() == 1
    assert (tmp_path / "errors").read_text() == (
        f"Error: model: {url} refuses OPENAI_API_KEY (401). Copy the key again.\n"
    )


async def test_refused_key_of_the_fallback(able: World) -> None:
    """The fallback model at a server of its own is checked there, and its own key is named."""
    models = {"OPENAI_FALLBACK_MODEL": "spare", "OPENAI_FALLBACK_API_KEY": "sk-spare"}
    async with model_server(refuse) as url:
        (found,) = (await findings(able, **models, OPENAI_FALLBACK_BASE_URL=url))["fallback"]
    assert found["found"] == f"{url} refuses OPENAI_FALLBACK_API_KEY (401)."


async def test_model_that_is_asked_in_another_way(able: World) -> None:
    """A parameter that the server does not take is no fault of the model, since the bot will leave it out too."""
    turns = iter((Failure(400, message="'parallel_tool_calls' is not supported with this model."),))

    async def think(_: Request) -> Answer | Failure:
        return next(turns, status_of("ORD-10234"))

    able.think = think
    (found,) = (await findings(able))["model"]
    assert found["level"] == "ok", found


async def test_context_size(able: World) -> None:
    """Where the server tells how many tokens a model reads, the line says so."""

    async def tell(request: web.Request) -> web.Response:
        if request.path == "/v1/models":
            model = {"id": "scripted-model", "object": "model", "max_model_len": 32768}
            return web.json_response({"object": "list", "data": [model]})
        raise web.HTTPTemporaryRedirect(able.model.url + "/chat/completions")

    async with model_server(tell) as url:
        (found,) = (await findings(able, OPENAI_BASE_URL=url))["model"]
    assert found["found"].endswith("reads 32,768 tokens.")


async def test_typo_in_approvers_stops_a_start(able: World, tmp_path: Path) -> None:
    """A bot in which nobody could approve anything does not start, and says whose id is wrong."""
    process = BotProcess(able, errors=tmp_path / "errors", BOT_APPROVERS="U0SAMM")
    assert await process.ended() == 1
    assert "Error: approvers: Slack knows nobody with the id U0SAMM" in (tmp_path / "errors").read_text()


async def test_warnings_at_a_start(able: World, tmp_path: Path) -> None:
    """What a bot can live with is a warning in its log, and it starts; the model is not asked a question for it."""
    async with BotProcess(able, errors=tmp_path / "errors", BOT_STAFF="U0NOBODY") as process:
        await able.slack.connected()
        assert await process.stop() == 0
    assert "staff: Slack knows nobody with the id U0NOBODY" in (tmp_path / "errors").read_text()
    assert able.model.requests == []


async def test_without_settings(tmp_path: Path) -> None:
    """Without any setting the check says which one is missing and where to find it, and ends with 1."""
    said = await give(tmp_path, "check")
    assert said.code == 1
    assert said.lines[0].startswith("\u2717 settings  SLACK_BOT_TOKEN is not set: Bot token, starts with xoxb-")


async def test_archived_channel(able: World) -> None:
    """A channel that the bot was taken out of is named by its name."""
    able.workspace.add(Channel(TEAM, "support-team", "channel", frozenset({SAM})))
    (found,) = (await findings(able))["channel"]
    assert found["found"] == "BOT_ESCALATION_CHANNEL: the bot is not in #support-team."


@pytest.mark.parametrize(
    ("kind", "level"),
    [
        ("ext4", Level.OK),
        ("nfs4", Level.FATAL),
        ("cifs", Level.FATAL),
        ("fuse.sshfs", Level.FATAL),
        ("9p", Level.WARNING),
    ],
)
def test_file_systems(tmp_path: Path, kind: str, level: Level) -> None:
    """A database on a network file system does not start, and one on a disk that is shared with a host is warned of."""
    mounts = f"/dev/vda / ext4 rw 0 0\nserver:/data {tmp_path} {kind} rw 0 0\nproc {tmp_path}/x proc rw 0 0\n"
    found = [one for one in check_database(tmp_path / "support.db", mounts) if one.about == "file system"]
    assert [(one.level, kind in one.found) for one in found] == [(level, True)]


def test_mount_points(tmp_path: Path) -> None:
    """The mount is the longest whose folder a path is in; a name that only begins alike is another folder."""
    mounts = f"/dev/vda / ext4 rw\nnone {tmp_path}/da nfs rw\nnone {tmp_path}/with\\040space xfs rw\n"
    (tmp_path / "with space").mkdir()
    assert file_system_of(tmp_path / "data" / "x.db", mounts) == "ext4"
    assert file_system_of(tmp_path / "da" / "x.db", mounts) == "nfs"
    assert file_system_of(tmp_path / "with space" / "x.db", mounts) == "xfs"


def test_other_databases(tmp_path: Path) -> None:
    """A file that is no database, or another program's, is not taken for the log, and stays as it is."""
    path = tmp_path / "support.db"
    path.write_bytes(b"not a database" * 1000)
    assert check_database(path)[0].level is Level.FATAL
    assert path.read_bytes() == b"not a database" * 1000


@pytest.mark.sqlite_file
async def test_a_database_of_a_newer_version(able: World) -> None:
    """A database that this version cannot be started on is found by the check, in the words of the start."""
    async with able.bot():
        pass
    assert (await findings(able))["database"][0]["level"] == "ok"
    able.write("INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('bot', 'x', '2030-01-01')")
    (found,) = (await findings(able))["database"]
    assert found["level"] == "fatal"
    assert "was written by a newer version of the bot (bot: x). Start that version" in found["found"]


async def test_a_first_start_with_sample_orders(able: World, tmp_path: Path) -> None:
    """Who starts with sample orders, as README says, is not told to."""
    errors, new = tmp_path / "errors", able.database.with_name("new.db")
    sample = ("--sample-orders", "ana@example.com")
    async with BotProcess(able, errors=errors, arguments=sample, BOT_DATABASE=new, BOT_STAFF="U0NOBODY") as bot:
        await able.slack.connected()
        assert await bot.stop() == 0
    assert "Slack knows nobody with the id U0NOBODY" in errors.read_text()
    assert "--sample-orders" not in errors.read_text()
