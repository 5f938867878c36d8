"""Adapter for the public web: files that definitions load by https, from public addresses only and without credentials."""
