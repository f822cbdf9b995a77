"""HTTP door: everything the command line does, under /api/v1."""
