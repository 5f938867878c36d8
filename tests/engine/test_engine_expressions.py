from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeci.local.engine.depends import RESULTS, DependsError, parse_depends, satisfied_results
from kubeci.local.engine.variables import Unresolved, resolve, substitute
from kubeci.local.engine.when import WhenError, should_execute


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("", True),
        ("main == main", True),
        ("develop == main", False),
        ("'feature-x' == 'main'", False),
        ('"a b" != "a"', True),
        ("1 < 2 && 2 >= 2", True),
        ("1 == 1.0", True),
        ("1 == '1'", False),
        ("true", True),
        ("!(a == b) || never == reached", True),
        ("!true", False),
        ("'v1.2' =~ '^v[0-9]'", True),
        ("'x' !~ '^v'", True),
        ("abc < abd", True),
        ("true || (1 - a)", True),
        ("false && (1 - a)", False),
        ("2 + 2 * 3 == 8", True),
        ("(2 + 2) * 3 == 12", True),
        ("a + 1 == a1", True),
        ("x in (a, x)", True),
        ("-1 < 0", True),
        ("1==-1", False),
        ("[odd name] == 'odd name'", True),
    ],
)
def test_when(when: str, *, expected: bool) -> None:
    assert should_execute(when) is expected


@pytest.mark.parametrize(
    ("when", "message"),
    [
        (
            "feature-x == main",
            "Failed to evaluate 'when' expresion 'feature-x == main': Value 'feature' cannot be used with the modifier '-', it is not a number",
        ),
        (
            "a == b @",
            "Invalid 'when' expression 'a == b @': Invalid token: '@' (hint: try wrapping the affected expression in quotes (\"))",
        ),
        ("abc", "Expected boolean evaluation for 'abc'. Got abc"),
        ("a == 'b", "Invalid 'when' expression 'a == 'b': Unclosed string literal"),
        ("(a == b", "Invalid 'when' expression '(a == b': Unbalanced parenthesis"),
        ("a &&", "Invalid 'when' expression 'a &&': Unexpected end of expression"),
        (
            "1 < a",
            "Failed to evaluate 'when' expresion '1 < a': Value 'a' cannot be used with the comparator '<', it is not a number",
        ),
        ("1 / 0 == 1", "Failed to evaluate 'when' expresion '1 / 0 == 1': division by zero"),
    ],
)
def test_when_errors(when: str, message: str) -> None:
    with pytest.raises(WhenError) as caught:
        should_execute(when)
    assert str(caught.value) == message


@given(st.text(max_size=60) | st.text(alphabet="ab1.'\"()!=&|<>~-+*/%[], ", max_size=60))
def test_any_text_is_decided_or_refused(when: str) -> None:
    try:
        assert should_execute(when) in {True, False}
    except WhenError as error:
        assert when in str(error)  # noqa: PT017 - either is right


@given(st.text(max_size=30), st.text(max_size=30))
def test_quoted_strings_compare_as_they_are(left: str, right: str) -> None:
    quoted = [text.replace("\\", "\\\\").replace("'", "\\'") for text in (left, right)]
    assert should_execute(f"'{quoted[0]}' == '{quoted[1]}'") is (left == right)


@pytest.mark.parametrize(
    "when", ["(" * 5000 + "a" + ")" * 5000, "!" * 5000 + "true", "-" * 5000 + "1", "a" * 20_000]
)
def test_deep_or_long_expressions_are_refused(when: str) -> None:
    with pytest.raises(WhenError):
        should_execute(when)


@pytest.mark.parametrize(
    ("depends", "expected"),
    [
        ("", True),
        ("ok", True),
        ("bad", False),
        ("bad.Failed", True),
        ("ok && bad", False),
        ("ok || bad", True),
        ("!bad", True),
        ("(ok || bad) && !(ok.Failed || bad.Succeeded)", True),
        ("ok && bad || ok", True),
        ("with-dash.Skipped && with-dash", True),
        ("gone.Omitted", True),
    ],
)
def test_depends(depends: str, *, expected: bool) -> None:
    results = {"ok": {"Succeeded", ""}, "bad": {"Failed"}, "with-dash": {"Skipped", ""}, "gone": {"Omitted"}}
    parsed = parse_depends(depends)
    assert parsed.holds({name: frozenset(found) for name, found in results.items()}) is expected


def test_depends_names_its_tasks_in_order() -> None:
    assert parse_depends("b.Failed && (a || b) && !c-1").tasks == ["b", "a", "c-1"]


@pytest.mark.parametrize(
    "depends", ["a &&", "(a", "a b", "a.Nonsense", "&& a", ")", "a ^ b", "(" * 100 + "a", "a" * 30_000]
)
def test_depends_that_cannot_be_read(depends: str) -> None:
    with pytest.raises(DependsError):
        parse_depends(depends)


def test_continue_on_widens_what_a_bare_name_accepts() -> None:
    assert "Failed" not in satisfied_results({})
    assert {"Failed", "Succeeded"} <= satisfied_results({"continueOn": {"failed": True}})


_OPERANDS = st.tuples(st.sampled_from("abc"), st.sampled_from(sorted(RESULTS)))
_TREES = st.recursive(
    _OPERANDS,
    lambda inner: st.tuples(st.just("!"), inner) | st.tuples(st.sampled_from(["&&", "||"]), inner, inner),
    max_leaves=12,
)


def _text(tree: tuple) -> str:
    match tree:
        case ("!", inner):
            return f"!({_text(inner)})"
        case (operator, left, right):
            return f"({_text(left)}) {operator} ({_text(right)})"
        case (task, result):
            return f"{task}.{result}"


def _value(tree: tuple, results: dict[str, frozenset[str]]) -> bool:
    match tree:
        case ("!", inner):
            return not _value(inner, results)
        case ("&&", left, right):
            return _value(left, results) and _value(right, results)
        case ("||", left, right):
            return _value(left, results) or _value(right, results)
        case (task, result):
            return result in results[task]


@given(_TREES, st.fixed_dictionaries(dict.fromkeys("abc", st.frozensets(st.sampled_from(sorted(RESULTS))))))
def test_depends_means_what_its_tree_means(tree: tuple, results: dict[str, frozenset[str]]) -> None:
    assert parse_depends(_text(tree)).holds({**dict.fromkeys("abc", frozenset()), **results}) is _value(
        tree, results
    )


@given(st.text(max_size=80))
def test_any_depends_is_read_or_refused(depends: str) -> None:
    with suppress(DependsError):
        parsed = parse_depends(depends)
        assert parsed.holds({name: frozenset() for name in parsed.tasks}) in {True, False}


def test_variables_are_replaced_everywhere() -> None:
    value = {"a": ["x {{ one }} {{two}}", 3, None], "b": {"c": "{{one}}{{one}}"}}
    assert substitute(value, {"one": "{{two}}"}) == {
        "a": ["x {{two}} {{two}}", 3, None],
        "b": {"c": "{{two}}{{two}}"},
    }


def test_a_variable_that_is_not_there_is_named() -> None:
    with pytest.raises(Unresolved, match=r"failed to resolve \{\{steps.a.outputs.result\}\}"):
        resolve(["{{steps.a.outputs.result}}"], {})
    assert resolve(["{{ other }}"], {}) == ["{{ other }}"]


def test_a_template_does_not_grow_without_bound() -> None:
    with pytest.raises(Unresolved, match="grows beyond"):
        substitute(["{{a}}" * 100] * 100, {"a": "x" * 10_000})
