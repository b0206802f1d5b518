"""What other domains, pages and commands may ask about people, one module per verb."""
