from __future__ import annotations

from dataclasses import dataclass

from github_scene import PASSING, REPOSITORY, GitHubScene, workflow

from kubeci.local.stack import Surroundings

__all__ = ["PASSING", "REPOSITORY", "Scene", "workflow"]


@dataclass
class Scene(GitHubScene):
    """A local stack with a repository, and the words of the tests."""

    stack: Surroundings

    @property
    def place(self) -> Surroundings:
        return self.stack
