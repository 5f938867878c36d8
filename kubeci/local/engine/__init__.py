"""Runs a workflow's pods as local processes and writes its status as Argo's controller does."""
