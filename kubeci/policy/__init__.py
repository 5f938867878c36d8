"""Who may build what, and what needs no build: pure rules, each with its reason for the person who reads it."""
