"""Data only: shipped mapping files, read through importlib.resources. No code goes here."""
