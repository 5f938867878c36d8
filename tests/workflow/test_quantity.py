"""Quantities of Kubernetes: what they amount to, and what is none."""

from __future__ import annotations

from fractions import Fraction

import pytest

from kubeci.workflow.quantity import quantity


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1", 1),
        ("+1", 1),
        ("0", 0),
        ("-5", -5),
        ("1.", 1),
        (".5", Fraction(1, 2)),
        ("00.50", Fraction(1, 2)),
        ("1Ki", 1024),
        ("1.5Gi", 1536 * 1024**2),
        ("2Ei", 2 * 1024**6),
        ("1k", 1000),
        ("1M", 1000**2),
        ("1G", 1000**3),
        ("1T", 1000**4),
        ("1P", 1000**5),
        ("1E", 1000**6),
        ("1m", Fraction(1, 1000)),
        ("1u", Fraction(1, 1000**2)),
        ("1n", Fraction(1, 1000**3)),
        ("1e3", 1000),
        ("1E3", 1000),
        ("12E-1", Fraction(12, 10)),
        ("1e+9", 10**9),
        *(
            (text, None)
            for text in (
                *(
                    "",
                    " ",
                    ".",
                    "+",
                    "-",
                    "Gi",
                    "e3",
                    "1 Gi",
                    " 1Gi",
                    "1Gi ",
                    "1Gi\n",
                    "1gi",
                    "1GI",
                    "1GB",
                    "1Gib",
                ),
                *(
                    "1K",
                    "1mi",
                    "1Mim",
                    "1e",
                    "1e1.5",
                    "1e3Gi",
                    "1.2.3",
                    "1,5Gi",
                    "--1",
                    "+-1",
                    "0x10",
                    "1_000",
                    "inf",
                ),
                *("٣Gi", "1e999", "1" * 33, "{{x}}"),
            )
        ),
    ],
)
def test_quantities(text: str, amount: Fraction | int | None) -> None:
    assert quantity(text) == amount
