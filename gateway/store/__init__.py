"""SQL and migrations: one implementation for SQLite and PostgreSQL."""
