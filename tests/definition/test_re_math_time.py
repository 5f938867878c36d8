from typing import Any

import pytest

from kubeci.definition.evaluation import evaluate
from kubeci.definition.protocol import Outcome, Request

NOW = 1_700_000_000_000_000_005
LOADS = """load("builtin:///re", "re", "compile", "match", "search", "findall", "split", "sub")
load("builtin:///math", "ceil", "floor", "copysign", "mod", "pow", "remainder", "atan2", "hypot", "log", "e", "pi")
load("builtin:///math", "fabs", "round", "exp", "sqrt", "acos", "asin", "atan", "cos", "sin", "tan", "degrees", "radians")
load("builtin:///math", "acosh", "asinh", "atanh", "cosh", "sinh", "tanh", "gamma")
load("builtin:///time", "from_timestamp", "is_valid_timezone", "now", "parse_duration", "parse_time", "time")
load("builtin:///time", "nanosecond", "microsecond", "millisecond", "second", "minute", "hour")
load("builtin:///time", "add", "sub", "mul", "div", "before", "equal", "to_string", sub_re = "sub")
"""


def run(
    expression: str, loads: str = LOADS.replace('"findall", "split", "sub"', '"findall", "split"')
) -> Outcome:
    source = f'{loads}workflow = {{"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "spec": {expression}}}\n'
    return evaluate(Request("ci.star", {"ci.star": source}, starlark=True, now=NOW))


def value(expression: str) -> Any:
    outcome = run(expression)
    assert outcome.fault is None, outcome.fault
    assert outcome.manifest is not None
    return outcome.manifest["spec"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("match('(a)(b)?', 'ab a')", [["ab", "a", "b"], ["a", "a", ""]]),
        ("type(match('a', 'a')) + type(match('a', 'a')[0]) + str(match('x', 'a'))", "listtuple[]"),
        ("match(pattern = 'A', string = 'a', flags = 1)", []),
        ("search('b+', 'üübb')", [2, 4]),
        ("'üübb'[search('b+', 'üübb')[0]:]", "bb"),
        ("search('x', 'abc')", None),
        ("[findall('a.', 'abac'), type(findall('a', ''))]", [["ab", "ac"], "tuple"]),
        ("findall('(?i)A(b)', 'ab AB')", ["ab", "AB"]),
        ("[split(',', 'a,b,c'), type(split(',', ''))]", [["a", "b", "c"], "tuple"]),
        ("split(pattern = ',', string = 'a,b,c', maxsplit = 2)", ["a", "b,c"]),
        ("re.sub('(?P<n>b)', '<$1${n}$$>', 'abb')", "a<bb$><bb$>"),
        ("re.sub('b', 'x', 'abb', 1)", "axb"),
        ("re.sub(pattern = 'b', repl = 'x', string = 'abb', count = 0, flags = 0)", "axx"),
        ("compile('b+').match('abb')", [["bb"]]),
        ("compile('b+').search(string = 'abb')", [1, 3]),
        ("re.compile('b').findall('abb')", ["b", "b"]),
        ("re.compile('b', 2).split('abb', 2)", ["a", "b"]),
        ("re.compile(pattern = 'b').sub('x', 'abb', count = 1)", "axb"),
        ("[ceil(1.2), floor(-1.5), ceil(5), ceil(1e300) == int(1e300)]", [2, -2, 5, True]),
        (
            "[type(n) for n in [ceil(1.5), round(1.5), pow(2, 3), fabs(-1)]]",
            ["int", "float", "float", "float"],
        ),
        ("[copysign(1, -2), mod(-5, 3), remainder(5, 3), hypot(3, 4), atan2(0, 1)]", [-1, -2, -1, 5, 0]),
        ("[atan2(y = 1, x = 1) == pi / 4, log(8, 2), log(x = 8, base = 2), log(e)]", [True, 3, 3, 1]),
        ("[round(2.5), round(-2.5), degrees(pi), radians(180) == pi, gamma(5)]", [3, -3, 180, True, 24]),
        ("[str(f(-2)) for f in [sqrt, acos, asin, acosh, atanh]]", ["nan"] * 5),
        ("[f(0) for f in [exp, atan, cos, sin, tan, asinh, cosh, sinh, tanh]]", [1, 0, 1, 0, 0, 0, 1, 0, 0]),
        (
            "[str(log(0)), str(pow(0, -1)), str(exp(1000)), str(sqrt(exp(1000)))]",
            ["-inf", "+inf", "+inf", "+inf"],
        ),
        ("to_string(now())", "2023-11-14 22:13:20.000000005 +0000 UTC"),
        ("equal(now(), now())", True),
        ("now().format('2006-01-02T15:04:05Z07:00')", "2023-11-14T22:13:20Z"),
        ("[now().in_location('Europe/Berlin').hour, now().in_location('').hour]", [23, 22]),
        ("to_string(from_timestamp(1, 2000000000))", "1970-01-01 00:00:03 +0000 UTC"),
        ("to_string(from_timestamp(sec = -1))", "1969-12-31 23:59:59 +0000 UTC"),
        (
            "[getattr(parse_time('2024-02-29T12:34:56.789+02:00'), n) for n in 'year month day hour minute second nanosecond unix unix_nano'.split()]",
            [2024, 2, 29, 12, 34, 56, 789000000, 1709202896, 1709202896789000000],
        ),
        ("to_string(parse_time('3:04PM', format = '3:04PM'))", "0000-01-01 15:04:00 +0000 UTC"),
        (
            "to_string(parse_time('2024-07-01', '2006-01-02', 'Europe/Berlin'))",
            "2024-07-01 00:00:00 +0200 CEST",
        ),
        ("to_string(time(year = 2024, month = 13, day = 1))", "2025-01-01 00:00:00 +0000 UTC"),
        ("to_string(time(year = 2024))", "2023-11-30 00:00:00 +0000 UTC"),
        (
            "to_string(time(year = 2024, month = 7, day = 1, location = 'Asia/Kolkata'))",
            "2024-07-01 00:00:00 +0530 IST",
        ),
        (
            "[is_valid_timezone(n) for n in ['Europe/Paris', 'UTC', '', 'Mars', '../x', '/etc/passwd']]",
            [True, True, True, False, False, False],
        ),
        (
            "[to_string(d) for d in [nanosecond, microsecond, millisecond, second, minute, hour]]",
            ["1ns", "1µs", "1ms", "1s", "1m0s", "1h0m0s"],
        ),
        (
            "[getattr(parse_duration('90.5s'), n) for n in 'hours minutes seconds milliseconds microseconds nanoseconds'.split()]",
            [90.5 / 3600, 90.5 / 60, 90.5, 90500, 90500000, 90500000000],
        ),
        ("to_string(parse_duration(parse_duration(d = '-1.5h')))", "-1h30m0s"),
        (
            "to_string(add(from_timestamp(0).in_location('Asia/Tokyo'), hour))",
            "1970-01-01 10:00:00 +0900 JST",
        ),
        (
            "[to_string(add(hour, from_timestamp(0))), to_string(add(hour, minute))]",
            ["1970-01-01 01:00:00 +0000 UTC", "1h1m0s"],
        ),
        (
            "[to_string(sub_re(from_timestamp(5), from_timestamp(2))), to_string(sub_re(from_timestamp(5), second)), to_string(sub_re(hour, minute))]",
            ["3s", "1970-01-01 00:00:04 +0000 UTC", "59m0s"],
        ),
        (
            "[to_string(mul(3, second)), to_string(mul(second, -2)), div(hour, minute), to_string(div(second, -3))]",
            ["3s", "-2s", 60, "-333.333333ms"],
        ),
        (
            "[before(from_timestamp(1), from_timestamp(2)), before(hour, minute), equal(hour, mul(minute, 60))]",
            [True, False, True],
        ),
        ("[hour > minute, hour == parse_duration('1h')]", [True, True]),
    ],
)
def test_results(expression: str, expected: Any) -> None:
    assert value(expression) == expected


OPERATORS = (
    "times and durations are added and compared by `add`, `sub`, `mul`, `div`, `before` of builtin:///time"
)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("compile('(')", "re: `(` is not a regular expression (RE2): missing ): ("),
        (
            "findall('(?=a)', 'a')",
            "re: `(?=a)` is not a regular expression (RE2): invalid perl operator: (?=",
        ),
        ("findall('a' * 100000, 'a')", "re: a pattern of 100,000 characters; at most 4,096 are accepted"),
        (
            "findall('((a{100}){100}){100}', 'a')",
            "re: `((a{100}){100}){100}` is not a regular expression (RE2): invalid repetition size: {100}",
        ),
        ("findall(1, 'a')", "re: the pattern must be a string"),
        ("findall('a', None)", "re: the string must be a string"),
        ("split('a', 'a', 'x')", "re: a count must be an int"),
        ("re.sub('a', 1, 'a')", "re: the replacement must be a string"),
        ("sqrt('4')", "sqrt: got string, want float or int"),
        ("sqrt(True)", "sqrt: got bool, want float or int"),
        ("sqrt(1 << 2000)", "sqrt: the integer is too large for a float"),
        ("ceil(sqrt(-1))", "ceil: nan is no integer"),
        ("log(2, 1)", "log: division by zero"),
        ("from_timestamp('1')", "from_timestamp: got string, want int"),
        ("from_timestamp(1 << 80)", "a time outside the years 0 to 9999"),
        ("time(year = 1 << 80)", "time: a number is out of range"),
        ("time(2024)", "Found 1 extra positional argument(s) for call to builtin:///time.time"),
        ("time(year = 2024, location = 'Mars')", "time: unknown time zone Mars"),
        ("now().in_location('Mars')", "in_location: unknown time zone Mars"),
        ("now().format(5)", "format: got int, want string"),
        ("now().format('2006' * 1000)", "a layout of 4,000 characters; at most 1,000 are accepted"),
        ("parse_time('x')", 'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"'),
        ("parse_time('2023-02-29', '2006-01-02')", 'parsing time "2023-02-29": day out of range'),
        ("parse_time('9' * 2000)", "parsing time: a text of 2,000 characters; at most 1,000 are accepted"),
        ("parse_duration('1x')", 'time: unknown unit "x" in duration "1x"'),
        ("parse_duration('5')", 'time: missing unit in duration "5"'),
        ("parse_duration('')", 'time: invalid duration ""'),
        ("parse_duration('300000000h')", 'time: invalid duration "300000000h"'),
        ("mul(hour, 1 << 60)", "a duration of more than 292 years"),
        ("div(hour, 0)", "time.div: division by zero"),
        ("add(now(), now())", "time.add: not for time and time"),
        ("sub_re(hour, now())", "time.sub: not for duration and time"),
        ("mul(hour, 1.5)", "time.mul: not for duration and float"),
        ("before(hour, now())", "time.before: not for duration and time"),
        ("to_string(1)", "time.to_string: not for int"),
        ("now() + hour", f"Operation `+` not supported for types `struct` and `struct`; {OPERATORS}"),
        ("2 * hour", f"Operation `*` not supported for types `int` and `struct`; {OPERATORS}"),
        (
            "now() < now()",
            f"Operation `compare` not supported for types `function` and `function`; {OPERATORS}",
        ),
    ],
)
def test_faults_stand_at_the_authors_call(expression: str, message: str) -> None:
    found = run(expression).fault
    assert found is not None
    first, *calls = found.message.splitlines()
    assert first == message
    assert (found.file, found.line) == ("ci.star", 8)
    assert all(call == "called from ci.star:8, in <module>" for call in calls)


def test_a_hostile_pattern_is_linear() -> None:
    assert value("len(findall('(a+)+$', 'a' * 100000 + 'b'))") == 0
    assert value("len(findall('(x+x+)+y', 'x' * 20000))") == 0
