"""Speed and memory, measured on the real server: `python -m bench [NAME...]` prints one table.

A row is one module in `bench/rows`, found by its name; what rows share stands here, once: the fakes on loopback
(`fakes`), the server as a process (`server`), signed deliveries and load (`webhooks`), percentiles (`figure`).
"""
