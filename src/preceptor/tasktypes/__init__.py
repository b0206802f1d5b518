"""Kinds of work: one folder per kind, pure, knowing no database. The contract stands in `base`."""
