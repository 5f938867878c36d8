"""The modules beside this file are found by their names; the fixture `real_cluster` stands in tests/conftest.py."""
