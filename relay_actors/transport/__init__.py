"""How text moves: sockets."""
