"""Revisions of the tables; no file here is changed once it was released."""
