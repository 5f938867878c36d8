"""Runs an Argo workflow's pods as local processes and writes its status as Argo's controller does.

The core is pure: `operate` takes a workflow, what its pods did and the time, and gives the next status with the pods to
start and to stop. `runner` and below are the effects: folders, git, processes. `engine` joins both to the object store.
"""
