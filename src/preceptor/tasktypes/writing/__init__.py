"""What kinds of work in which people write share: counting, style rules, edit scripts, near duplicates. No kind itself.

Counting, rules and edit scripts have a mirror in the browser (`frontend/src/lib/writing.ts`, `edits.ts`), so that a
writer sees while typing what the server will say. Both run the table `tests/tasktypes/writing_cases.json`.
"""
