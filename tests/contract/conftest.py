from __future__ import annotations

from collections.abc import Iterator

import pytest
from contract_target import Target, local_target, real_target

TARGETS = ["local", pytest.param("real", marks=pytest.mark.cluster)]


@pytest.fixture(scope="session", params=TARGETS)
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """Give a cluster whose workflows nobody runs: the local one, and under the marker `cluster` the real one."""
    yield from _target(request, tmp_path_factory, controlled=False)


@pytest.fixture(scope="session", params=TARGETS)
def controlled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """Give a cluster whose workflows run: by the local engine, or by Argo's controller with pods that KWOK plays."""
    yield from _target(request, tmp_path_factory, controlled=True)


def _target(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, *, controlled: bool
) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("contract")
    if request.param == "local":
        with local_target(folder, controlled=controlled) as found:
            yield found
    else:
        real = request.getfixturevalue("real_cluster")
        with real_target(real, folder, controlled=controlled) as found:
            yield found
