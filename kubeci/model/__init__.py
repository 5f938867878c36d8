"""Values only: what an event, a build, a decision and a report are. No I/O, no clock, no randomness."""
