from __future__ import annotations

import ssl

import pytest

from kubeci.local.github.auth import App, new_app


@pytest.fixture(scope="session")
def registered() -> App:
    """Make the App once: its key takes a while to be found, and to be checked when it is read."""
    return new_app(app_id=7)


@pytest.fixture(scope="session")
def tls() -> ssl.SSLContext:
    """Read certificates once; none is asked for."""
    return ssl.create_default_context()
