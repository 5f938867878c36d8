"""Build what runs out of options and settings: the adapters, and the routes."""
