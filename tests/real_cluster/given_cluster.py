"""The cluster that the tests talk to, and how they look at it as an admin."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from control_plane import NAMESPACE, PROGRAMS, ControlPlane
from kubectl import Kubectl


def tools_folder() -> Path:
    """Give the folder that tests/real_cluster/tools/install fills."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("KUBECI_CLUSTER_TOOLS") or cache / "kubeci" / "cluster-tools")


def missing_tools(tools: Path) -> list[str]:
    """Name the programs that are not there."""
    return [name for name in (*PROGRAMS, "kubectl") if not (tools / "bin" / name).is_file()]


@dataclass(frozen=True, slots=True)
class RealCluster:
    """A cluster; `plane` is None when it is somebody else's, whose programs cannot be stopped."""

    folder: Path
    kubeconfig: Path
    """Of an admin."""
    plane: ControlPlane | None
    namespace: str = os.environ.get("KUBECI_TEST_NAMESPACE", NAMESPACE)

    @property
    def tools(self) -> Path:
        """Give the folder of the programs."""
        return tools_folder() / "bin"

    @property
    def kubectl(self) -> Kubectl:
        """Give kubectl as an admin: the one that was built, or the one of this machine."""
        built = self.tools / "kubectl"
        found = built if built.is_file() else shutil.which("kubectl")
        if not found:
            raise RuntimeError("kubectl is missing: run `make cluster-tools`, or install it")
        return Kubectl(Path(found), self.kubeconfig, self.namespace)
