"""How alike two annotations are, control by control."""
