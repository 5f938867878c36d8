"""A Kubernetes API server on loopback for workflows, pods and logs, as the real one answers."""
