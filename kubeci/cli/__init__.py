"""The commands: serve, demo, render."""
