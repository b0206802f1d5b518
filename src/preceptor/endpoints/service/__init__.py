"""What can be done with endpoints: keep them, let projects use them, ask them."""
