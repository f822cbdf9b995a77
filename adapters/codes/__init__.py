"""Code lists as their owners publish them, read into small tables that answer by code and day. Ships no list."""
