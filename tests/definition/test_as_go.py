"""What Go's regexp, time and math packages answer (tests/data/go/ask.go asked them), held against the builtin modules."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubeci.definition import builtin_math, builtin_re, builtin_time
from kubeci.definition.go_duration import format_duration, parse_duration

CASES: list[tuple[str, list[str], Any]] = json.loads(
    (Path(__file__).parent.parent / "data" / "go" / "cases.json").read_text()
)
REFUSED = "ERR"


def duration(text: str) -> list[str]:
    nanoseconds = parse_duration(text)
    return [str(nanoseconds), format_duration(nanoseconds)]


def written(found: dict[str, Any]) -> str:
    return builtin_time.time_string(found["unix_nano"], found["location"])


def date(location: str, *parts: str) -> str:
    return written(builtin_time.date([int(part) for part in parts], location))


def formatted(seconds: str, nanoseconds: str, location: str, layout: str) -> str:
    return builtin_time.write(int(seconds) * 10**9 + int(nanoseconds), location, layout)


ASKED: dict[str, Callable[..., Any]] = {
    "match": builtin_re.match,
    "findall": builtin_re.findall,
    "split": lambda pattern, text, limit: builtin_re.split(pattern, text, int(limit)),
    "sub": lambda pattern, repl, text: builtin_re.sub(pattern, repl, text, 0),
    "dur": duration,
    "fmt": formatted,
    "parse": lambda text, layout, location: written(builtin_time.parse(text, layout, location)),
    "date": date,
}


@pytest.mark.parametrize("kind", sorted(ASKED))
def test_as_go(kind: str) -> None:
    rows = [(asked, answer) for what, asked, answer in CASES if what == kind]
    assert len(rows) >= 50
    for asked, answer in rows:
        try:
            found = ASKED[kind](*asked)
        except ValueError:
            found = REFUSED
        assert found == answer, asked


def crossing(text: str) -> float | list[str]:
    value = float(text)
    return value if math.isfinite(value) else ["nan" if math.isnan(value) else f"{value:+}"]


def test_math_as_go() -> None:
    rows = [(asked, float(answer)) for kind, asked, answer in CASES if kind == "math"]
    assert len(rows) >= 100
    for (name, *numbers), answer in rows:
        found = float(builtin_math.calculate(name, *map(crossing, numbers)))
        if math.isnan(answer):
            assert math.isnan(found), (name, numbers)
        else:
            # The last digits of a transcendental function are the platform's.
            assert found == pytest.approx(answer, rel=1e-14, abs=0), (name, numbers)
            assert math.copysign(1, found) == math.copysign(1, answer), (name, numbers)
