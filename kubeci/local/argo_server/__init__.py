"""An argo-server for the local cluster: the part of its REST API that asks for retries, workflows and logs.

Its answers are those of Argo's published API description; its refusals are grpc-gateway's `{"code": …, "message": …}`.
"""
