"""A Slack on this machine: it checks requests as Slack does, and gives commands to the server."""
