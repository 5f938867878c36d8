"""The Secret in the cluster itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kubeci.cluster.client import MERGE_PATCH, Client, Request
from kubeci.cluster.connect import connect
from kubeci.create_app.secret import SecretName
from kubeci.errors import ConfigurationError, Conflict, UpstreamError
from kubeci.model.json import JsonObject

SECRETS = "/api/v1/namespaces/{namespace}/secrets"
SECRET = SECRETS + "/{name}"
_DRY_RUN = {"dryRun": "All"}


@dataclass(frozen=True, slots=True)
class ClusterSecret:
    """A Secret that is created; one that is there gets the new values with `force`, and keeps its other keys."""

    where: SecretName
    kubeconfig: str
    force: bool = False
    next_command: str = ""

    @property
    def place(self) -> str:
        """Name the Secret and the cluster."""
        by = f"the cluster of {self.kubeconfig}" if self.kubeconfig else "this pod's cluster"
        return f"the Secret {self.where} in {by}"

    async def check(self) -> None:
        """Do it dry: the namespace, our rights and the cluster's own rules are asked for."""
        empty: JsonObject = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": self.where.name, "namespace": self.where.namespace},
            "type": "Opaque",
            "data": {},
        }
        try:
            await self._write(empty, _DRY_RUN)
        except UpstreamError as error:
            raise ConfigurationError(f"--apply: {error}{self._way_out(error.status)}") from error

    async def keep(self, secret: JsonObject) -> None:
        """Create it, or give it the new values."""
        await self._write(secret, {})

    def _way_out(self, status: int) -> str:
        if status == 404:
            return f"; first kubectl create namespace {self.where.namespace}"
        return "; name by --kubeconfig somebody who may write Secrets there" if status in {401, 403} else ""

    async def _write(self, secret: JsonObject, query: Mapping[str, str]) -> None:
        async with connect(kubeconfig=self.kubeconfig) as client:
            try:
                await self._create(client, secret, query)
            except Conflict:
                if not self.force:
                    raise ConfigurationError(
                        f"--apply: the Secret {self.where} exists; name another one by --secret-name, or add --force"
                    ) from None
                await self._change(client, secret, query)

    async def _create(self, client: Client, secret: JsonObject, query: Mapping[str, str]) -> None:
        strict = {"fieldValidation": "Strict", **query}
        namespace = {"namespace": self.where.namespace}
        await client.send(Request("POST", SECRETS, namespace, strict, secret))

    async def _change(self, client: Client, secret: JsonObject, query: Mapping[str, str]) -> None:
        one = {"namespace": self.where.namespace, "name": self.where.name}
        body: JsonObject = {"data": secret["data"]}
        await client.send(Request("PATCH", SECRET, one, query, body, content_type=MERGE_PATCH))
