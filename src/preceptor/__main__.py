"""`python -m preceptor` is `preceptor`."""

from preceptor.cli.main import app

app(prog_name="preceptor")
