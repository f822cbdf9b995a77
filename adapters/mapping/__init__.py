"""The engine that loads, checks, explains and applies mapping files. Knows no transport."""
