"""Continuous integration for GitHub on Kubernetes and Argo Workflows.

`docs/architecture.md` is the map of the rooms below; each package's docstring says what belongs in it.
"""

__version__ = "0.1.0"
