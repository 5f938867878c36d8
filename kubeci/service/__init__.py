"""The use cases: dispatch an event, submit a build, reconcile a workflow. They know ports, never adapters."""
