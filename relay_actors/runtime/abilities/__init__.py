"""What an actor can do, one part of it in each module; `Actor` puts them together."""
