"""The CI definition at one commit: context files, YAML, Starlark, and the sandbox that evaluates them."""
