"""Verbs of projects: `projects` (terms, versions, moves), `checklist`, `members`, `imports`, `tasks`."""
