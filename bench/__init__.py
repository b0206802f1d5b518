"""What Preceptor is measured by: `python -m bench` (or `make bench`)."""
