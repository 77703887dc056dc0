"""A missing or malformed setting stops the start with one line that names it and says what to do."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.__main__ import main
from bot.environment import read_database_place, read_settings
from bot.settings import Settings, SettingsError, variable

GOOD = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "OPENAI_API_KEY": "sk-1"}


@pytest.fixture(autouse=True)
def empty_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Start in a folder without .env, and without the settings of the one who runs the tests."""
    monkeypatch.chdir(tmp_path)
    for field in Settings.model_fields:
        monkeypatch.delenv(variable(field), raising=False)


def give(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    """Set environment variables."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("missing", list(GOOD))
def test_missing(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    """What is not set is named, with where to find it."""
    give(monkeypatch, **{name: value for name, value in GOOD.items() if name != missing})
    with pytest.raises(SettingsError, match=rf"^{missing} is not set: .+ Set it in the environment or in \.env\.$"):
        read_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SLACK_BOT_TOKEN", "xapp-swapped"),
        ("SLACK_APP_TOKEN", "xoxb-swapped"),
        ("BOT_APPROVERS", "sam@example.com"),
        ("BOT_APPROVERS", "U0SAM;U0BEN"),
        ("BOT_TRUSTED_TEAMS", "U0SAM"),
        ("BOT_APPROVERS", " , "),
        ("BOT_STAFF", " "),
        ("BOT_LINK_HOSTS", "https://shop.example.com/returns"),
        ("BOT_LINK_HOSTS", "shop"),
        ("BOT_ORDER_LINKS", "shop.example.com/orders/{order}"),
        ("BOT_ORDER_LINKS", "https://shop.example.com/orders"),
        ("BOT_ORDER_LINKS", "https://{order}.example.com/"),
        ("SLACK_BOT_TOKEN", "xoxb-…"),
        ("SLACK_APP_TOKEN", "xapp-1 swapped"),
        ("OPENAI_API_KEY", "sk-…"),
        ("OPENAI_API_KEY", "sk-swapped\n1"),
        ("OPENAI_API_KEY", "sk-..."),
        ("OPENAI_API_KEY", "sk-xxxxxxxxxxxx"),
        ("OPENAI_API_KEY", "$OPENAI_API_KEY"),
        ("OPENAI_API_KEY", "${KEY}"),
        ("OPENAI_API_KEY", "OPENAI_API_KEY=sk-swapped"),
        ("OPENAI_API_KEY", "“sk-swapped”"),
        ("OPENAI_BASE_URL", "models.example.com/v1"),
        ("OPENAI_BASE_URL", "https://models.example.com/v1/chat/completions"),
        ("OPENAI_BASE_URL", "https://models.example.com/v1/responses/"),
        ("OPENAI_BASE_URL", "https://models.example.com:99999/v1"),
        ("OPENAI_BASE_URL", "https://“models.example.com”/v1"),
        ("OPENAI_BASE_URL", "https://models.example.com/v1?api-version=1"),
        ("OPENAI_BASE_URL", "https://models.example.com/v1/models"),
        ("OPENAI_BASE_URL", "https://models.example.com/v1/messages"),
        ("OPENAI_BASE_URL", "http://localhost:11434/api/chat"),
        ("OPENAI_API_KEY", '"sk-swapped"'),
        ("SLACK_SIGNING_SECRET", "'swapped'"),
        ("BOT_DATABASE", "sqlite:///support.db"),
        ("BOT_DATABASE", "postgresql+psycopg://bot:swapped@db.example.com/support"),
        ("BOT_DATABASE", "mysql://bot:swapped@db.example.com/support"),
        ("OPENAI_MODEL", "gpt\n5"),
        ("OPENAI_FALLBACK_MODEL", " "),
        ("OPENAI_FALLBACK_API_KEY", "sk-swapped\n1"),
        ("OPENAI_FALLBACK_BASE_URL", "models.example.com/v1"),
        ("BOT_MODEL_HEADERS", "X-Title"),
        ("BOT_MODEL_HEADERS", "X-Title: swapped\u2026"),
        ("BOT_MODEL_TEMPERATURE", "hot"),
        ("BOT_MODEL_REASONING_EFFORT", "a lot"),
        ("BOT_APPROVAL_HOURS", "0"),
        ("BOT_APPROVAL_HOURS", "soon"),
        ("BOT_MAX_STEPS", "0"),
        ("BOT_ALLOW_SELF_APPROVAL", "perhaps"),
    ],
)
def test_malformed(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """What is malformed is named in one line, without the secret itself."""
    give(monkeypatch, **(GOOD | {name: value}))
    with pytest.raises(SettingsError, match=f"^{name} is malformed: ") as raised:
        read_settings()
    assert "\n" not in str(raised.value)
    assert "swapped" not in str(raised.value)


def test_place_of_a_database_that_there_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that need the database alone tell that its place is malformed, without the password in it."""
    give(monkeypatch, BOT_DATABASE="mysql://bot:swapped@db.example.com/support")
    with pytest.raises(SettingsError, match=r"^BOT_DATABASE is malformed: it is a file") as raised:
        read_database_place()
    assert "swapped" not in str(raised.value)


def test_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each model has its own server, and a key goes to no server that it is not for."""
    key, url, other = "sk-1", "https://one.example.com/v1", "https://two.example.com/v1"
    give(monkeypatch, **(GOOD | {"OPENAI_BASE_URL": url, "OPENAI_FALLBACK_MODEL": "spare"}))
    assert [(one.base_url, one.key) for one in read_settings().models] == [(url, key), (url, key)]
    give(monkeypatch, OPENAI_FALLBACK_BASE_URL=other, BOT_MODEL_HEADERS="X-Title: Support, X-Team: a:b")
    assert [(one.base_url, one.key) for one in read_settings().models] == [(url, key), (other, None)]
    assert read_settings().models[1].headers == (("X-Title", "Support"), ("X-Team", "a:b"))
    give(monkeypatch, OPENAI_FALLBACK_API_KEY="sk-2", BOT_MODEL_TEMPERATURE="0.2", BOT_MODEL_MAX_TOKENS="500")
    assert [one.key for one in read_settings().models] == [key, "sk-2"]
    assert read_settings().models[0].parameters == {"temperature": 0.2, "max_completion_tokens": 500}


@pytest.mark.parametrize(
    ("url", "sorts"),
    [
        ("https://models.example.com/v1", True),
        ("http://127.0.0.1:8080/v1", False),
        ("http://localhost:11434/v1", False),
        ("http://192.168.1.20:8000/v1", False),
        ("http://[::1]:8000/v1", False),
        ("http://llama:8080/v1", False),
        ("http://gpu.local/v1", False),
    ],
)
def test_sorting_by_default(monkeypatch: pytest.MonkeyPatch, url: str, *, sorts: bool) -> None:
    """Threads are sorted unless the model's server is on this machine or network, or as the setting says."""
    give(monkeypatch, **(GOOD | {"OPENAI_BASE_URL": url}))
    assert read_settings().sorts is sorts
    give(monkeypatch, BOT_SORTING=str(not sorts))
    assert read_settings().sorts is not sorts


def test_time_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run has time for three slow answers of the model, unless a setting says how long it may take."""
    give(monkeypatch, **(GOOD | {"BOT_MODEL_TIMEOUT_SECONDS": "200"}))
    assert read_settings().run_seconds == 600
    give(monkeypatch, BOT_RUN_TIMEOUT_SECONDS="90")
    assert read_settings().run_seconds == 90


def test_link_hosts(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A host may be given as an address, in capitals or with a wildcard; what it is read as is told in a line each."""
    give(monkeypatch, **(GOOD | {"BOT_LINK_HOSTS": "https://Shop.Example.com/, *.help.example.com, Ok.example"}))
    assert read_settings().link_hosts == ("shop.example.com", "help.example.com", "ok.example")
    assert caplog.messages == [
        "BOT_LINK_HOSTS: “https://Shop.Example.com/” is read as the host shop.example.com and all below it.",
        "BOT_LINK_HOSTS: “*.help.example.com” is read as the host help.example.com and all below it.",
    ]


@pytest.mark.parametrize("secret", [None, "", "  "])
def test_http_without_a_signing_secret(monkeypatch: pytest.MonkeyPatch, secret: str | None) -> None:
    """Over HTTP a missing or empty signing secret is refused, because nothing could be checked."""
    give(monkeypatch, **(GOOD | ({} if secret is None else {"SLACK_SIGNING_SECRET": secret})))
    with pytest.raises(SettingsError, match=r"^SLACK_SIGNING_SECRET is not set"):
        read_settings(http=True)


def test_lists_and_blanks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids are separated by commas, spaces do not matter, and an empty variable is no setting."""
    give(monkeypatch, **GOOD, BOT_APPROVERS=" U0SAM, S0LEADS,", BOT_STAFF="", OPENAI_MODEL="")
    settings = read_settings()
    assert settings.approvers == ("U0SAM", "S0LEADS")
    assert settings.staff == ()
    assert settings.openai_model == "gpt-5.4-mini"


def test_env_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Settings may stand in .env; the environment wins."""
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in GOOD.items()) + "BOT_MAX_STEPS=3\n")
    assert read_settings().max_steps == 3
    give(monkeypatch, BOT_MAX_STEPS="4")
    assert read_settings().max_steps == 4


def test_the_command_says_it_in_one_line() -> None:
    """`support-bot run` without settings ends with one line and exit code 1."""
    result = CliRunner().invoke(main, ["run"])
    assert result.exit_code == 1
    assert result.output.startswith("Error: SLACK_BOT_TOKEN is not set")
    assert result.output.count("\n") == 1


def test_secrets_do_not_show() -> None:
    """Settings that are printed show no secret."""
    settings = Settings(slack_bot_token="xoxb-hidden", openai_api_key="sk-hidden")
    assert "hidden" not in repr(settings)


def test_env_file_in_another_encoding(tmp_path: Path) -> None:
    """A .env that is not UTF-8 is told in one line, and not by a traceback."""
    (tmp_path / ".env").write_bytes("# Schl\u00fcssel\n".encode("cp1252"))
    with pytest.raises(SettingsError, match=r"^\.env is not UTF-8"):
        read_settings()
