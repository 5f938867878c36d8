"""Starlette routes: webhooks, health, metrics."""
