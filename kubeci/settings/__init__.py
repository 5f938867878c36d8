"""What an operator sets: the configuration file (`config`) and the server's options (`options`)."""
