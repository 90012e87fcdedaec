"""How actors live: pykka on dispatchers."""
