"""Venues that run on this machine: a second reading of the venue sheets, speaking only the wire."""
