"""Prefect with a home and a server of its own that end with the measurement, without logs and without telling anybody."""

import logging
import os
import tempfile


def prepare(database=None):
    """Before Prefect is imported, since it reads its settings then; returns the address of its database, a file of SQLite where none is given."""
    home = tempfile.mkdtemp(prefix="prefect-")
    database = database or f"sqlite+aiosqlite:///{home}/prefect.db"
    os.environ.update({
        "PREFECT_HOME": home, "PREFECT_API_DATABASE_CONNECTION_URL": database, "PREFECT_LOGGING_LEVEL": "ERROR",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true", "PREFECT_LOGGING_TO_API_ENABLED": "false",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120", "DO_NOT_TRACK": "1"})
    logging.disable(logging.CRITICAL)
    return database
