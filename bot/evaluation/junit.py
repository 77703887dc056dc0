"""An evaluation as JUnit XML, which every CI reads: a suite a group, a case a conversation."""

import re
from xml.etree import ElementTree as ET

from bot.evaluation.results import Evaluation, Result, by_group

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(evaluation: Evaluation) -> str:
    """Return the XML document."""
    root = ET.Element("testsuites", name=f"support-bot eval {evaluation.model}")
    for name, results in by_group(evaluation.results).items():
        failed = sum(_status(result) == "failure" for result in results)
        errors = sum(_status(result) == "error" for result in results)
        suite = ET.SubElement(
            root,
            "testsuite",
            name=name,
            tests=str(len(results)),
            failures=str(failed),
            errors=str(errors),
            skipped="0",
            time=f"{sum(map(_seconds, results)):.3f}",
            timestamp=evaluation.started_at.strftime("%Y-%m-%dT%H:%M:%S"),
        )
        for result in results:
            _case(suite, result)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ET.Element, result: Result) -> None:
    case = ET.SubElement(suite, "testcase", classname=result.group, name=result.name, time=f"{_seconds(result):.3f}")
    status = _status(result)
    if status == "passed":
        return
    lines = [
        f"run {number}, {f'step {finding.step}' if finding.step else 'at the end'}, {finding.kind}: {finding.text}"
        for number, attempt in enumerate(result.attempts, 1)
        for finding in attempt.findings
        if finding.gate
    ]
    message = f"passed {result.passed} of {len(result.attempts)}: {result.about}"
    ET.SubElement(case, status, message=_clean(message)).text = _clean("\n".join(lines))
    said = [f"{line.by}: {line.text}" for attempt in result.attempts for line in attempt.transcript]
    ET.SubElement(case, "system-out").text = _clean("\n".join(said))


def _status(result: Result) -> str:
    statuses = {attempt.status for attempt in result.attempts}
    return "failure" if "failed" in statuses else "error" if "error" in statuses else "passed"


def _seconds(result: Result) -> float:
    return sum(attempt.seconds for attempt in result.attempts)


def _clean(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
