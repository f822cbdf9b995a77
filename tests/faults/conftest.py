"""The contract tests' databases, site and partner."""

from tests.contract.conftest import (  # noqa: F401 - fixtures are found by name
    migrated_postgres,
    migrated_sqlite,
    partner,
    site,
    store,
    store_url,
)
