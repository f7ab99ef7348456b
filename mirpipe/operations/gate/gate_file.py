"""Reads the rules of a gate from a YAML file, and reports each fault with its line and remedy."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    model_validator,
)

from mirpipe.db.queries.pending_work import PendingStage
from mirpipe.errors import ConfigurationError
from mirpipe.records import Collection, FindingKind, Severity
from mirpipe.setting_types import require_metric_of_pairs

_INT8 = 2**63
"""The first number that a bigint in Postgres cannot store."""

_Name = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]+$")]
"""A name without control characters, which Postgres or XML cannot store."""

_Count = Annotated[int, Field(ge=0, lt=_INT8)]


def _earlier_run(value: object) -> int | datetime | None:
    """Return the earlier run of a change. A time without a time zone is in UTC."""
    if value == "previous":
        return None
    if type(value) is int and 0 < value < _INT8:
        return value
    if isinstance(value, str):  # YAML reads a time only if it has seconds.
        with suppress(ValueError):
            value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    raise ValueError("`since` is `previous`, a run number, or a date such as 2026-03-31")


class _Rule(BaseModel):
    """What all rules have in common."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    name: _Name
    """Name of the rule, which is unique in its file."""


class Mean(_Rule):
    """The mean of a metric over the targets, for an encoder's best matches or a mode's clips."""

    check: Literal["mean"]
    metric: _Name
    encoder: _Name | None = None
    generator: _Name | None = None
    mode: _Name | None = None
    guidance: float | None = None
    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _require_subject_and_limit(self) -> "Mean":
        of_clips = [self.generator, self.mode, self.guidance]
        if self.encoder is not None:
            if of_clips != [None, None, None]:
                raise ValueError(
                    "`encoder` is set, so remove `generator`, `mode` and `guidance`, or remove "
                    "`encoder` to judge clips"
                )
        elif self.generator is None or self.mode is None:
            raise ValueError("set `encoder`, or both `generator` and `mode`")
        if self.at_least is None and self.at_most is None:
            raise ValueError("set `at_least`, `at_most` or both")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError("`at_least` is above `at_most`, so no value passes; correct one")
        return self


class Change(_Rule):
    """The change of a metric's mean over an encoder's best matches since an earlier run."""

    check: Literal["change"]
    metric: Annotated[_Name, AfterValidator(require_metric_of_pairs)]
    encoder: _Name
    since: Annotated[int | datetime | None, PlainValidator(_earlier_run)]
    """The earlier run: a run number, the run that readers saw at a time, or None for the run before
    the latest one."""
    margin: float = Field(ge=0)
    """Largest decrease that is acceptable, in the unit of the metric."""

    @property
    def lowest(self) -> float:
        """Lowest change that is acceptable: 0 or below."""
        return 0.0 - self.margin  # A margin of 0 gives 0, not -0.


class Coverage(_Rule):
    """The share of the usable tracks that have a vector by the active revision of an encoder."""

    check: Literal["coverage"]
    encoder: _Name
    at_least: float = Field(ge=0, le=1)


class Findings(_Rule):
    """The number of findings about the audio of the tracks, as `mirpipe quality` lists them."""

    check: Literal["findings"]
    kind: FindingKind | None = None
    severity: Severity | None = None
    collection: Collection | None = None
    at_most: _Count = 0


class Pending(_Rule):
    """The number of items that the next run will process."""

    check: Literal["pending"]
    stage: PendingStage | None = None
    plugin: _Name | None = None
    at_most: _Count = 0


class Age(_Rule):
    """The time since a report last published or confirmed the results, in hours."""

    check: Literal["age"]
    at_most_hours: float = Field(gt=0)


Rule = Annotated[Mean | Change | Coverage | Findings | Pending | Age, Field(discriminator="check")]


_CHECKS = "mean, change, coverage, findings, pending, age"


class Gate(BaseModel):
    """The content of a gate file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rules: list[Rule] = Field(min_length=1)


def read_gate(path: Path) -> Gate:
    """Return the rules in a YAML file.

    Raises ConfigurationError with one line per fault: the file, the line, the rule and the remedy.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigurationError(
            f"Cannot read the gate {path}: {reason}. A gate is a YAML file with rules; "
            "`mirpipe gate --help` shows one."
        ) from None
    loader = yaml.SafeLoader(text)
    try:
        root = loader.get_single_node()
        faults = [] if root is None else list(_repeated_keys(root))
        content = None if root is None else loader.construct_document(root)
    except RecursionError:
        raise ConfigurationError(
            f"{path}:1: an alias contains itself, or the nesting is too deep. Write the rules "
            "without aliases."
        ) from None
    # PyYAML raises the last two for a wrong value with an explicit type, such as `!!bool a`.
    except (yaml.YAMLError, ValueError, LookupError, AttributeError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or error
        raise ConfigurationError(
            f"{path}:{mark.line + 1 if mark else 1}: not valid YAML ({problem}). Correct the "
            "syntax of this line."
        ) from None
    finally:
        loader.dispose()
    if not isinstance(content, dict):
        raise ConfigurationError(
            f"{path}:1: no rules. Write `rules:`, and below it a list of rules."
        )
    faults += _repeated_names(content, root)
    gate = None
    try:
        gate = Gate.model_validate(content)
    except ValidationError as error:
        faults += [_fault(problem, root, content) for problem in error.errors()]
    if gate is None or faults:
        lines = [f"{path}:{line}: {text}" for line, text in sorted(faults)]
        raise ConfigurationError("\n".join(["The gate has faults:", *lines]))
    return gate


_Fault = tuple[int, str]
"""Line number and message."""


def _fault(problem: Mapping[str, Any], root: yaml.Node, content: Any) -> _Fault:
    """Return the line of a problem that pydantic found, and a message with the remedy."""
    keys = list(problem["loc"])
    node, path = _node_at(root, keys)
    field = f"`{keys[-1]}`" if keys else "the file"
    kind, context = problem["type"], problem.get("ctx", {})
    if kind == "missing":
        text = f"{field} is missing. Add it."
    elif kind == "extra_forbidden":
        text = f"{field} is unknown here. Remove it, or correct its name."
    elif kind in ("union_tag_not_found", "union_tag_invalid"):
        text = f"`check` is missing or unknown. Set it to one of: {_CHECKS}."
    elif kind == "literal_error":
        text = f"{field} is unknown. Set it to {context['expected']}."
    elif kind in ("model_attributes_type", "model_type"):
        text = "this is not a list of keys. Write `name: …`, and below it `check: …`."
    elif kind == "string_pattern_mismatch":
        text = f"{field} is empty or contains a control character. Correct the name."
    elif kind == "value_error":
        text = f"{context['error']}."
    else:
        text = f"{field}: {problem['msg']}. Correct the value."
    name = _rule_name(content, path)
    return node.start_mark.line + 1, f"rule {name}: {text}" if name else text


def _node_at(root: yaml.Node, keys: list[Any]) -> tuple[yaml.Node, list[Any]]:
    """Return the innermost node that pydantic's location names, and the keys that lead to it.

    A location also contains names that are not in the file, such as the type of a rule.
    """
    node, path = root, []
    place = root
    for key in keys:
        if isinstance(node, yaml.SequenceNode) and isinstance(key, int):
            node = place = node.value[key]
            path.append(key)
        elif isinstance(node, yaml.MappingNode):
            for key_node, value_node in node.value:
                if key_node.value == key:
                    place, node = key_node, value_node
                    path.append(key)
                    break
    return place, path


def _rule_name(content: Any, path: list[Any]) -> str | None:
    """Return the name or the number of the rule at this path, or None outside the rules."""
    if len(path) < 2 or path[0] != "rules":
        return None
    rule = content["rules"][path[1]]
    name = rule.get("name") if isinstance(rule, dict) else None
    return repr(name) if isinstance(name, str) else str(path[1] + 1)


def _repeated_keys(node: yaml.Node) -> Iterator[_Fault]:
    """Yield a fault for each key that is set twice, because YAML keeps only the last value."""
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    yield (
                        key.start_mark.line + 1,
                        f"`{key.value}` is set twice. Remove one of them.",
                    )
                seen.add(key.value)
            yield from _repeated_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated_keys(item)


def _repeated_names(content: Mapping[Any, Any], root: yaml.Node) -> Iterator[_Fault]:
    """Yield a fault for each rule with the name of an earlier one, also if rules are not valid."""
    rules = content.get("rules")
    seen = set()
    for index, rule in enumerate(rules if isinstance(rules, list) else []):
        name = rule.get("name") if isinstance(rule, dict) else None
        if not isinstance(name, str):
            continue
        if name in seen:
            node, _ = _node_at(root, ["rules", index, "name"])
            yield (
                node.start_mark.line + 1,
                f"rule {name!r}: another rule has this name. Rename one of them.",
            )
        seen.add(name)
