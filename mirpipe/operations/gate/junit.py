"""Writes verdicts as a JUnit file, which CI servers show as tests.

Own code, because the format is a few elements: a failed rule is a failure, and an undecided rule is
an error.
"""

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from mirpipe.operations.gate.verdicts import RuleVerdict
from mirpipe.operations.output_file import write_output


def write_junit(path: Path, gate: str, verdicts: Sequence[RuleVerdict]) -> None:
    """Write one test suite with one test case per rule. An existing file is replaced.

    Raises UnwritableFile.
    """
    counts = {
        name: str(sum(each.verdict == verdict for each in verdicts))
        for name, verdict in (("failures", "failed"), ("errors", "undecided"))
    }
    suite = ElementTree.Element("testsuite", {"name": gate, "tests": str(len(verdicts)), **counts})
    for each in verdicts:
        case = ElementTree.SubElement(
            suite, "testcase", name=each.rule, classname=f"{gate}.{each.kind}"
        )
        if each.verdict != "passed":
            tag = "failure" if each.verdict == "failed" else "error"
            ElementTree.SubElement(case, tag, message=each.detail, type=each.verdict)
        else:
            ElementTree.SubElement(case, "system-out").text = each.detail
    write_output(path, ElementTree.tostring(suite, encoding="utf-8", xml_declaration=True))
