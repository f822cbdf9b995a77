"""Attendance as a spreadsheet gives it: rows out of a CSV file, one row as the mapping engine reads it."""
