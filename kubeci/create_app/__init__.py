"""`kubeci create-app`: the pages that lead through the making of a GitHub App, and the Secret with its credentials."""
