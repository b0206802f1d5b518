"""What runs in the new process: namespaces, mounts, limits, filters, and then the program. Standard library only."""
