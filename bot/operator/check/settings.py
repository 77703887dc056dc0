"""The settings' side of a check: variables that look like settings and are none."""

import os
from collections.abc import Mapping
from difflib import get_close_matches

from bot import tools
from bot.approvals.policy import OwnPolicy
from bot.environment import env_file, share_with_opentelemetry
from bot.help import articles
from bot.operator.check.finding import Finding, fatal, ok, warning
from bot.settings import Settings, SettingsError, variable
from bot.shop.factory import OURS, variables_of
from bot.tracing import tracing

_OURS = "BOT_"
_SHARED = ("SLACK_", "OPENAI_")  # with the SDKs and other programs: only what is almost a setting of ours is told of
_OF_OTHERS = frozenset({"BOT_FAILPOINT", "SLACK_CLIENT_SECRET", "SLACK_CLIENT_ID", "SLACK_USER_TOKEN", "SLACK_TOKEN"})
_LIKENESS = 0.8


def check_help_and_tools(settings: Settings) -> list[Finding]:
    """Look whether the help articles can be read, and whether every tool can be offered to a model."""
    findings = []
    if settings.help_folder:
        help_articles = articles(settings.help_folder)
        findings += [warning("help", fault) for fault in help_articles.faults]
        findings += [] if findings else [ok("help", f"The articles in {settings.help_folder} can be read.")]
    if settings.approval_policy:
        findings.append(_check_policy(settings))
    try:
        names = tools.load(settings)
    except SettingsError as error:
        return [*findings, fatal("tools", str(error))]
    return [*findings, ok("tools", f"{', '.join(names)}.")]


def _check_policy(settings: Settings) -> Finding:
    try:
        OwnPolicy(settings)
    except SettingsError as error:
        return fatal("approval policy", str(error))
    return ok("approval policy", f"{settings.approval_policy} can be asked.")


def check_telemetry(*, thorough: bool) -> list[Finding]:
    """Look whether traces and metrics can be exported, if they are to be, and whether somebody takes them."""
    share_with_opentelemetry()
    if fault := tracing.fault():
        return [warning("telemetry", fault)]
    wanted = [signal for signal in tracing.SIGNALS if tracing.is_wanted(signal)]
    if not wanted:
        return []
    what, where = " and ".join(wanted).lower(), tracing.endpoint(wanted[0])
    if thorough and not tracing.is_taken(wanted[0]):
        return [warning("telemetry", f"Nobody takes {what} at {where}.", "Look at OTEL_… and at the collector.")]
    return [ok("telemetry", f"{what.capitalize()} go to {where}.")]


def check_settings(shop: str, environment: Mapping[str, str] | None = None) -> list[Finding]:
    """Name what is set under one of our beginnings, here or in the file of settings, and means nothing."""
    known = {variable(name).upper() for name in Settings.model_fields} | variables_of(shop)
    of_other_shops = {word: name for name in OURS for word in variables_of(name)}
    given = {name.upper() for name in {*(os.environ if environment is None else environment), *_in_file()}}
    findings = []
    for name in sorted(given - known - _OF_OTHERS):
        if other := of_other_shops.get(name):
            advice = f"Set {variable('shop')}={other}, or remove it."
            findings.append(warning("settings", f"{name} is for {other}, and the shop is {shop}.", advice))
            continue
        near = get_close_matches(name, known, 1, _LIKENESS) if name.startswith((_OURS, *_SHARED)) else []
        if near or name.startswith(_OURS):
            advice = f"Is {near[0]} meant?" if near else "Remove it."
            findings.append(warning("settings", f"{name} is no setting of the bot.", advice))
    return findings or [ok("settings", "All that are set are known.")]


def _in_file() -> set[str]:
    path = env_file()
    if not path.is_file():
        return set()
    lines = (line.strip().removeprefix("export ") for line in path.read_text("utf-8", errors="replace").splitlines())
    return {
        name.strip() for line in lines if not line.startswith("#") for name, sign, _ in [line.partition("=")] if sign
    }
