"""Look at each thing that must be right in an installation, and say what is wrong and how it is mended."""
