"""An argo-server for the local cluster: retries, workflows, lint, logs, and artifacts that stand in the workflow.

Its answers are those of Argo's published API description; its refusals are grpc-gateway's `{"code": …, "message": …}`,
but for artifacts, which another part of argo-server gives out: there they are plain text with no reason.
"""
