"""Decisions against people: receipts that say who decided what on which evidence, and appeals.

Knows persons and ids, not what the decision is about: the domains above write receipts before they act, and undo
their own acts when an appeal succeeds.
"""
