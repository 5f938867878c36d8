"""What the server survives, counted on the real program: `python -m chaos [NAME...]` prints one table.

A scenario (`chaos/scenarios`) runs GitHub and a cluster with its engine on loopback in this process (`world`), the server as
processes that may die (`replicas`), asks for builds of all kinds (`stories`, noted in `ledger`), does harm, and lets `judge`
compare what GitHub and the cluster show with what is due.
"""
