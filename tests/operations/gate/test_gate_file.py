"""A gate file: its rules, and its faults with line, rule and remedy."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from mirpipe.errors import ConfigurationError
from mirpipe.operations.gate.gate_file import Age, Change, Gate, Mean, read_gate


def read(folder: Path, text: str) -> Gate:
    file = folder / "gate.yml"
    file.write_text(text)
    return read_gate(file)


def faults(folder: Path, text: str) -> list[str]:
    """Return the lines of the error message, without the path of the file."""
    with pytest.raises(ConfigurationError) as raised:
        read(folder, text)
    lines = str(raised.value).splitlines()
    return [line.removeprefix(f"{folder / 'gate.yml'}:") for line in lines]


def test_rules_are_read_in_the_order_of_the_file(tmp_path: Path) -> None:
    gate = read(
        tmp_path,
        """
rules:
  - {name: a, check: mean, metric: cosine, encoder: e, at_least: 0.5}
  - {name: b, check: age, at_most_hours: 24}
""",
    )
    assert gate.rules == [
        Mean(name="a", check="mean", metric="cosine", encoder="e", at_least=0.5),
        Age(name="b", check="age", at_most_hours=24),
    ]


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        ("12", 12),
        ("previous", None),
        ("2026-03-31", datetime(2026, 3, 31, tzinfo=UTC)),
        ("2026-03-31 10:30:00", datetime(2026, 3, 31, 10, 30, tzinfo=UTC)),
        ("2026-03-31 10:30", datetime(2026, 3, 31, 10, 30, tzinfo=UTC)),
        ("2026-03-31T10:30:00+02:00", datetime(2026, 3, 31, 8, 30, tzinfo=UTC)),
    ],
)
def test_a_change_is_since_a_run_or_a_time(
    tmp_path: Path, since: str, expected: int | datetime | None
) -> None:
    rule = read(
        tmp_path,
        f"rules: [{{name: a, check: change, metric: m, encoder: e, since: {since}, margin: 0}}]",
    ).rules[0]
    assert isinstance(rule, Change)
    assert rule.since == expected


def test_all_faults_are_reported_with_line_rule_and_remedy(tmp_path: Path) -> None:
    text = """rules:
  - name: one
    check: mean
    metric: cosine
    encoder: e
  - name: two
    check: changes
  - check: pending
    at_most: many
  - name: three
    check: change
    metric: z
    encoder: e
    since: yesterday
    margins: 0.1
"""
    assert faults(tmp_path, text) == [
        "The gate has faults:",
        "2: rule 'one': set `at_least`, `at_most` or both.",
        "6: rule 'two': `check` is missing or unknown. Set it to one of: mean, change, coverage, "
        "findings, pending, age.",
        "8: rule 3: `name` is missing. Add it.",
        "9: rule 3: `at_most`: Input should be a valid integer. Correct the value.",
        "10: rule 'three': `margin` is missing. Add it.",
        "12: rule 'three': the change of z cannot be tested; use a pair metric such as "
        "aligned_melody or melody_accuracy_corrected, or a score axis.",
        "14: rule 'three': `since` is `previous`, a run number, or a date such as 2026-03-31.",
        "15: rule 'three': `margins` is unknown here. Remove it, or correct its name.",
    ]


def test_a_repeated_key_and_a_repeated_name_are_faults(tmp_path: Path) -> None:
    text = """rules:
  - {name: a, check: pending}
  - name: a
    check: age
    at_most_hours: 1
    at_most_hours: 2
"""
    assert faults(tmp_path, text) == [
        "The gate has faults:",
        "3: rule 'a': another rule has this name. Rename one of them.",
        "6: `at_most_hours` is set twice. Remove one of them.",
    ]


def test_faults_of_rules_do_not_hide_a_repeated_name(tmp_path: Path) -> None:
    text = """rules:
  - {name: a, check: pending}
  - {name: a, check: pending, at_most: many}
  - foo
  - [name, b]
"""
    remedy = "this is not a list of keys. Write `name: …`, and below it `check: …`."
    assert faults(tmp_path, text) == [
        "The gate has faults:",
        "3: rule 'a': `at_most`: Input should be a valid integer. Correct the value.",
        "3: rule 'a': another rule has this name. Rename one of them.",
        f"4: rule 3: {remedy}",
        f"5: rule 4: {remedy}",
    ]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("check: pending, at_most: true", "`at_most`: Input should be a valid integer."),
        ('check: age, at_most_hours: "48"', "`at_most_hours`: Input should be a valid number."),
        ("check: age, at_most_hours: true", "`at_most_hours`: Input should be a valid number."),
    ],
)
def test_values_of_another_type_are_faults(tmp_path: Path, values: str, expected: str) -> None:
    [_, fault] = faults(tmp_path, f"rules: [{{name: a, {values}}}]")
    assert fault == f"1: rule 'a': {expected} Correct the value."


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        *(
            (
                f"encoder: e, {key}, at_least: 1",
                "`encoder` is set, so remove `generator`, `mode` and `guidance`, or remove "
                "`encoder` to judge clips.",
            )
            for key in ("generator: g", "mode: m", "guidance: 3", "generator: g, mode: m")
        ),
        *(
            (f"{keys}at_least: 1", "set `encoder`, or both `generator` and `mode`.")
            for keys in ("", "generator: g, ", "mode: m, ", "guidance: 3, ")
        ),
        (
            "encoder: e, at_least: 0.9, at_most: 0.1",
            "`at_least` is above `at_most`, so no value passes; correct one.",
        ),
    ],
)
def test_a_mean_of_no_clear_subject_or_without_a_possible_value_is_a_fault(
    tmp_path: Path, values: str, expected: str
) -> None:
    [_, fault] = faults(tmp_path, f"rules: [{{name: a, check: mean, metric: x, {values}}}]")
    assert fault == f"1: rule 'a': {expected}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "1: no rules. Write `rules:`, and below it a list of rules."),
        ("- a", "1: no rules. Write `rules:`, and below it a list of rules."),
        ("a: [\n", "2: not valid YAML ("),
        ("? [a]\n: 1\n", "1: not valid YAML (found unhashable key"),
        ("a: !!bool b", "1: not valid YAML ("),
        ("a: !!timestamp b", "1: not valid YAML ("),
        ("rules: &a [*a]", "1: an alias contains itself, or the nesting is too deep."),
        ("[" * 5000, "1: an alias contains itself, or the nesting is too deep."),
        ("rules:\n  - when: 2026-13-45\n", "1: not valid YAML ("),
    ],
)
def test_a_file_without_rules_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    assert faults(tmp_path, text)[0].startswith(expected)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("check: age, at_most_hours: .inf", "`at_most_hours`: Input should be a finite number."),
        ("check: coverage, encoder: e, at_least: .nan", "`at_least`: Input should be a finite"),
        ('check: coverage, at_least: 0, encoder: "a\\0"', "`encoder` is empty or contains a con"),
        ('check: pending, plugin: ""', "`plugin` is empty or contains a control character."),
        ("check: pending, at_most: 99999999999999999999", "`at_most`: Input should be less than"),
        (
            "check: change, metric: m, encoder: e, margin: 0, since: 99999999999999999999",
            "`since` is `previous`, a run number, or a date such as 2026-03-31.",
        ),
    ],
)
def test_values_that_cannot_be_stored_are_faults(
    tmp_path: Path, values: str, expected: str
) -> None:
    [_, fault] = faults(tmp_path, f"rules: [{{name: a, {values}}}]")
    assert fault.startswith(f"1: rule 'a': {expected}")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("check: findings, kind: noise", "`kind` is unknown. Set it to 'damage', 'early_end', "),
        ("check: findings, kind: [level]", "`kind` is unknown. Set it to 'damage', 'early_end', "),
        (
            "check: findings, collection: references",
            "`collection` is unknown. Set it to 'reference', 'target' or 'generated'.",
        ),
        (
            "check: findings, severity: high",
            "`severity` is unknown. Set it to 'info' or 'warning'.",
        ),
        (
            "check: pending, stage: embedding",
            "`stage` is unknown. Set it to 'embed', 'score', 'analyse', 'retrieve', 'evaluate', "
            "'caption', 'embed captions' or 'generate'.",
        ),
    ],
)
def test_a_word_that_is_not_on_a_list_is_a_fault_that_names_the_list(
    tmp_path: Path, values: str, expected: str
) -> None:
    [_, fault] = faults(tmp_path, f"rules: [{{name: a, {values}}}]")
    assert fault.startswith(f"1: rule 'a': {expected}")


def test_a_name_with_a_control_character_is_a_fault(tmp_path: Path) -> None:
    [_, fault] = faults(tmp_path, 'rules: [{name: "a\\x1b", check: pending}]')
    assert fault.endswith("`name` is empty or contains a control character. Correct the name.")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    message = (
        r"Cannot read the gate .*/none\.yml: No such file or directory\. .*`mirpipe gate --help`"
    )
    with pytest.raises(ConfigurationError, match=message):
        read_gate(tmp_path / "none.yml")
