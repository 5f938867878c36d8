"""A workflow's state in, the content of its check-run out; annotations out of log lines. Pure."""
