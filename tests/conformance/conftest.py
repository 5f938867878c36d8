from __future__ import annotations

import pytest
from driven import Driven, drive
from published import FETCHED, Description


@pytest.fixture(scope="session", autouse=True)
def _fetched() -> None:
    if not FETCHED.is_dir():
        pytest.fail(
            "GitHub's descriptions are not here; tests/conformance/fetch gets them (make conformance)"
        )


@pytest.fixture(scope="session")
def description() -> Description:
    return Description.read()


@pytest.fixture(scope="session")
def driven(tmp_path_factory: pytest.TempPathFactory) -> Driven:
    return drive(tmp_path_factory.mktemp("driven"))
