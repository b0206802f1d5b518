"""Verbs of entry tests: `assessments` for the client, `attempts` and `practice` for the person who takes one."""
