"""Files by which the commands for operators find what a local stack leaves behind."""

from __future__ import annotations

from pathlib import Path

import yaml

from kubeci.local.stack import Surroundings

SETTINGS = "settings.yaml"


def keep_settings(around: Surroundings, folder: Path) -> Path:
    """Write the server's options with their secrets into files that only the user reads; gives the settings file."""
    options = around.options
    given: dict[str, str | int] = {
        "github.appid": options.app_id,
        "github-url": options.github_url,
        "store": options.store_url,
        "kubeconfig": str(options.kubeconfig or ""),
        "argo.ui.base": options.argo_ui,
        "keyfile": _secret(folder / "github-key", options.private_key),
        "secretfile": _secret(folder / "webhook-secret", options.webhook_secret.decode()),
    }
    if options.argo_server:
        given["argo-server"] = options.argo_server
        given["argo-tokenfile"] = _secret(folder / "argo-token", options.argo_token)
    document = {"buildBranches": around.config.build_branches.source, "options": given}
    path = folder / SETTINGS
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


def _secret(path: Path, text: str) -> str:
    path.touch(mode=0o600)
    path.chmod(0o600)  # it may have been there
    path.write_text(text, encoding="utf-8")
    return str(path)
