"""What runs on a leg between its command and its last event: plays, collects, recordings, … Layer: simulator."""
