"""Running code that nobody has read: without network, without files of others, within limits, or not at all.

Knows no domain. `running.run` runs one program, `testing.run_tests` runs its cases, `isolation.isolation` says what
holds it, `escapes.try_escapes` tries to break out. Nothing is imported here, because `sandbox.inside` starts in a
process of its own that must be quick and needs none of the rest.
"""
