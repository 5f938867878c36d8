"""Adapter to GitHub: webhook signature and decoding, App authentication, REST and GraphQL, rate limits."""
