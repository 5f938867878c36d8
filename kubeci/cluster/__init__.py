"""Adapter to Kubernetes and Argo: list-watch, workflows, pod logs."""
