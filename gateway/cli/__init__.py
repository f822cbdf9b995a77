"""Command-line door."""
