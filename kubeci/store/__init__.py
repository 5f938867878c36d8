"""Adapter to the database: the inbox of deliveries, builds and what was reported of them."""
