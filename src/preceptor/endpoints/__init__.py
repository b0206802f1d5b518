"""Model endpoints: OpenAI-compatible servers that projects may ask, and everything that they answered."""
