"""What pages and API share over HTTP: sessions, who asks, CSRF, refusals. Knows no template and no schema."""
