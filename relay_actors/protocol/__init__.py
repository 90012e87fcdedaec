"""What is said: the RELAY wire, pure."""
