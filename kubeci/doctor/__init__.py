"""`kubeci doctor`: what must be right in an installation, each thing looked at and explained with its remedy."""
