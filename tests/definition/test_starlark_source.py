import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeci.definition.starlark_source import MAX_SOURCE_BYTES, prepare
from kubeci.errors import DefinitionError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f():\n\treturn 1\n", "def f():\n        return 1\n"),
        ("def f():\n  \treturn 1\n", "def f():\n        return 1\n"),
        ("def f():\n\t  return 1\n", "def f():\n          return 1\n"),
        ("x =\t1\n", "x =     1\n"),
        ("x = 'a\tb'\n", "x = 'a\tb'\n"),
        ("x = '''a\n\tb'''\t+ 'c'\n", "x = '''a\n\tb'''   + 'c'\n"),
        ("x = '\\'\t'\n", "x = '\\'\t'\n"),
        ('x = """\\"""\t"""\n', 'x = """\\"""\t"""\n'),
        ("x = r'\\'\t\n", "x = r'\\'\t\n"),
        ("x = 1 #\tit's\n\ty\n", "x = 1 # it's\n        y\n"),
        ("\ufeffx = 1\r\ny = 2\r\n", "x = 1\ny = 2\n"),
        ("x = ''\t\n", "x = ''  \n"),
        ('x = """never (closed\n', 'x = """never (closed\n'),
    ],
)
def test_tabs_outside_strings_become_blanks(text: str, expected: str) -> None:
    assert prepare(text, "ci.star").text == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = " + "[" * 100_000, "ci.star: has more than 64 KB"),
        ("x = " + "[" * 60_000, "ci.star:1:205: brackets are nested deeper than 200"),
        ("\tx = " + "({[" * 100, "ci.star:1:206: brackets are nested deeper than 200"),
        ("x = (1,\n\t[2,\n", "ci.star:2:2: `[` is never closed"),
        ("#" * (MAX_SOURCE_BYTES + 1), "ci.star: has more than 64 KB"),
    ],
)
def test_refused_before_the_parser_sees_it(text: str, message: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        prepare(text, "ci.star")
    assert str(caught.value) == message


def test_columns_are_those_of_the_author() -> None:
    source = prepare("\tx =\ty\n", "ci.star")
    assert source.text == "        x =     y\n"
    assert [source.column(1, column) for column in (9, 11, 17)] == [2, 4, 6]


def test_functions_are_counted() -> None:
    assert prepare("def f(): return lambda: undefined\n# def\nx = 'def'\n", "ci.star").functions == 2


@given(st.text(alphabet="ab\t\n '\"#\\", max_size=60))
def test_lines_stay_lines_and_nothing_else_changes(text: str) -> None:
    written = prepare(text, "ci.star").text
    assert written.count("\n") == text.count("\n")
    assert written.replace("\t", "").replace(" ", "") == text.replace("\t", "").replace(" ", "")
