"""The other end of the wire: a RELAY server with people on the phone."""
