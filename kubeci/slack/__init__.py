"""Adapter to Slack: signatures, slash commands, messages."""
