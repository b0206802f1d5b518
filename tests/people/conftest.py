"""Services defer jobs by name; the application registers them, tests of services do it here."""

import preceptor.people.jobs  # noqa: F401
