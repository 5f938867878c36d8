import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kubeci.definition.builtin_yaml import dumps, loads
from kubeci.definition.yaml_scalars import Scalar, key_text, resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12:30", "12:30"),
        ("1:02:03.5", "1:02:03.5"),
        ("2023-01-01", "2023-01-01"),
        ("2023-01-01T00:00:00Z", "2023-01-01T00:00:00Z"),
        ("1e3", 1000),
        ("1E-2", 0.01),
        ("1.0", 1),
        ("1.5", 1.5),
        (".5", 0.5),
        ("5.", 5),
        (".", "."),
        ("..", ".."),
        ("1.2.3", "1.2.3"),
        ("1e400", "1e400"),
        ("0", 0),
        ("-0", 0),
        ("+12", 12),
        ("-12", -12),
        ("0777", 511),
        ("0o17", 15),
        ("08", 8),
        ("0x1F", 31),
        ("-0x1F", -31),
        ("0b101", 5),
        ("0x", "0x"),
        ("0xfg", "0xfg"),
        ("1_000", 1000),
        ("_1", "_1"),
        ("1_000.5", 1000.5),
        ("9223372036854775807", 9223372036854775807),
        ("18446744073709551615", 18446744073709551615),
        ("-9223372036854775808", -9223372036854775808),
        ("18446744073709551616", 18446744073709551616.0),
        ("0xFFFFFFFFFFFFFFFFFF", "0xFFFFFFFFFFFFFFFFFF"),
        ("9" * 401, "9" * 401),
        ("-", "-"),
        ("+", "+"),
        ("\u0661", "\u0661"),
        ("yes", True),
        ("Y", True),
        ("on", True),
        ("TRUE", True),
        ("tRUE", "tRUE"),
        ("no", False),
        ("n", False),
        ("Off", False),
        ("", None),
        ("~", None),
        ("Null", None),
        ("nULL", "nULL"),
        ("=", "="),
        ("hello", "hello"),
        ("inf", "inf"),
    ],
)
def test_resolve(text: str, value: Scalar) -> None:
    found = resolve(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("text", [".inf", "-.INF", "+.Inf", ".nan"])
def test_json_has_no_infinities(text: str) -> None:
    with pytest.raises(ValueError, match="JSON"):
        resolve(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        (12, "12"),
        (1.5, "1.5"),
        (0.1, "0.1"),
        (-2.25, "-2.25"),
        (1234567.5, "1.2345675e+06"),
        (0.00001, "1e-05"),
        (0.0001, "0.0001"),
        (1e39, ".inf"),
        (16777217.5, "1.6777218e+07"),
    ],
)
def test_keys_as_go_writes_them(value: float, text: str) -> None:
    assert key_text(value) == text


plain = st.text(alphabet="0123456789abxXoOeE+-._:~yYnNtrufls", max_size=8)


@given(
    st.dictionaries(
        st.one_of(plain, st.text(max_size=5)),
        st.one_of(plain, st.text(max_size=20), st.integers(), st.none()),
    )
)
def test_what_is_written_is_read_again(value: dict[str, object]) -> None:
    try:
        text = dumps(value)
        read = loads(text)
    except yaml.YAMLError:
        return
    finite = {
        k: float(v) if isinstance(v, int) and not -(1 << 63) <= v < 1 << 64 else v for k, v in value.items()
    }
    assert read == finite
