"""A GitHub and a cluster on this machine, over HTTP on loopback: the demo, and the fakes of the tests. Nothing but the CLI imports it, lazily."""
