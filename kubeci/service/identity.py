"""Ids of builds: the same event handled twice means the same build (contract, section 2, "Builds")."""

from __future__ import annotations

import hashlib

from kubeci.model.repository import Commit, Ref, RefType, Repository


def automatic_build_id(commit: Commit, ref: Ref, entrypoint: str = "") -> str:
    """Identify the build that happens by itself: one for a repository, sha, ref type, tag name and entrypoint.

    A branch's name is no part of it: one sha on several branches is one check suite and one build.
    """
    tag = ref.name if ref.type is RefType.TAG else ""
    return _digest("automatic", commit.repository.full_name.lower(), commit.sha, ref.type, tag, entrypoint)


def explicit_build_id(delivery_id: str) -> str:
    """Identify a build that a person asked for: each delivery is a wish of its own, its redelivery is not."""
    return _digest("explicit", delivery_id)


def refusal_id(commit: Commit) -> str:
    """Identify the one refusal that a commit shows."""
    return _digest("refusal", commit.repository.full_name.lower(), commit.sha)


def submission_of(commit: Commit) -> str:
    """Name what is held while a commit's builds are submitted or ended: two builds of one commit may have one refusal."""
    return f"commit {refusal_id(commit)}"


def offer_id(commit: Commit, template: str) -> str:
    """Identify the offer of a manual step: one for a commit and template."""
    return _digest("offer", commit.repository.full_name.lower(), commit.sha, template)


def deployment_build_id(repository: Repository, deployment_id: int) -> str:
    """Identify the build that a GitHub deployment asks for."""
    return _digest("deployment", repository.full_name.lower(), str(deployment_id))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:40]
