"""kubectl, as tests run it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Kubectl:
    """A kubectl that speaks to one cluster and one namespace."""

    program: Path
    kubeconfig: Path
    namespace: str

    def __call__(self, *arguments: str, given: str = "") -> str:
        """Run it and give what it prints; raises RuntimeError with its words when it fails."""
        command = [str(self.program), f"--kubeconfig={self.kubeconfig}", f"--namespace={self.namespace}"]
        done = subprocess.run(
            [*command, *arguments], input=given, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def create(self, manifest: str) -> None:
        """Create the objects of a manifest."""
        self("create", "--filename", "-", given=manifest)

    def kubeconfig_of(self, account: str, path: Path) -> Path:
        """Write a kubeconfig with a token of a service account, as the account's pod would use it."""
        token = self("create", "token", account).strip()
        config = json.loads(self("config", "view", "--raw", "--minify", "--flatten", "--output=json"))
        config["users"][0]["user"] = {"token": token}
        path.touch(mode=0o600)
        path.write_text(json.dumps(config))
        return path
