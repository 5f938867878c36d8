"""Faults of the cluster, Argo, the clock, the store and Slack, and what the doctor says to them."""

from __future__ import annotations

import time
from datetime import timedelta

from fault_case import Case
from installation_scene import Scene

from kubeci.doctor.finding import State
from kubeci.local.cluster.crds import Crds
from kubeci.local.cluster.users import User
from kubeci.settings.config import CacheDefaults, Config

WARNING, WRONG = State.WARNING, State.WRONG
OF_CLUSTER = [
    "namespace",
    "CRDs",
    "schema",
    "controller",
    "rights",
    "ClusterWorkflowTemplates",
    "storage class",
    "against the cluster",
]
WHOLE = "kubectl apply --namespace argo --server-side --filename argo-install.yaml"
OLD = "kubectl apply --server-side --force-conflicts --kustomize"


def crds(scene: Scene, found: Crds) -> None:
    scene.stack.cluster.crds = found


def no_argo_server(scene: Scene) -> None:
    scene.options(argo_server="http://127.0.0.1:1")


def storage(scene: Scene, **defaults: str) -> None:
    scene.stack.cluster.storage_classes = {"slow": False}
    scene.settings(config=Config(cache_defaults=CacheDefaults(**defaults)))


def clock(scene: Scene, seconds: float) -> None:
    scene.settings(now=lambda: time.time() + seconds)


def no_folder(scene: Scene) -> None:
    scene.options(store_url=f"sqlite:///{scene.folder}/absent/kubeci.db")


def broken_store(scene: Scene) -> None:
    (scene.folder / "other.db").write_bytes(b"no database at all" * 100)
    scene.options(store_url=f"sqlite:///{scene.folder}/other.db")


OF_SURROUNDINGS: dict[str, Case] = {
    "cluster away": (
        lambda scene: scene.options(kubernetes_url="http://127.0.0.1:1"),
        [("API server", WRONG)],
        OF_CLUSTER,
        "--kubeconfig",
    ),
    "no kubeconfig": (
        lambda scene: scene.options(kubeconfig=scene.folder / "absent"),
        [("API server", WRONG)],
        OF_CLUSTER,
        "name a kubeconfig",
    ),
    "unknown to the cluster": (
        lambda scene: setattr(scene.stack.cluster, "admin", User("admin", allowed=True)),
        [("API server", WRONG)],
        OF_CLUSTER,
        "kubectl --kubeconfig",
    ),
    "no namespace": (
        lambda scene: setattr(scene.stack.cluster, "namespaces", ("other",)),
        [("namespace", WRONG)],
        [],
        "kubectl create namespace argo",
    ),
    "no CRDs": (lambda scene: crds(scene, Crds("none")), [("CRDs", WRONG)], ["schema", "controller"], WHOLE),
    "minimal CRDs": (lambda scene: crds(scene, Crds("minimal")), [("schema", WARNING)], [], OLD),
    "old Argo": (
        lambda scene: crds(scene, Crds(unknown=frozenset({"mutexes", "plugin"}))),
        [("version", WARNING)],
        [],
        OLD,
    ),
    "no controller": (
        lambda scene: scene.workflow("left", phase="", age=timedelta(minutes=5)),
        [("controller", WRONG)],
        [],
        "app=workflow-controller",
    ),
    "argo-server away": (no_argo_server, [("argo-server", WRONG)], [], "app=argo-server"),
    "argo-server's token": (
        lambda scene: scene.options(argo_token="another"),
        [("token", WRONG)],
        [],
        "--argo-tokenfile",
    ),
    "no default class": (
        storage,
        [("storage class", WARNING)],
        [],
        "annotate storageclass",
    ),
    "no default class for caches": (
        lambda scene: storage(scene, scope="branch", size="1Gi"),
        [("storage class", WRONG)],
        [],
        "annotate storageclass",
    ),
    "no such class": (
        lambda scene: storage(scene, storage_class_name="fast"),
        [("storage class", WRONG)],
        [],
        "correct the setting",
    ),
    "clock a bit off": (
        lambda scene: clock(scene, 45),
        [("against GitHub", WARNING), ("against the cluster", WARNING)],
        [],
        "timedatectl",
    ),
    "clock far off": (
        lambda scene: clock(scene, -300),
        [("against GitHub", WRONG), ("against the cluster", WARNING)],
        [],
        "timedatectl",
    ),
    "no folder for the store": (no_folder, [("store", WRONG)], [], "mkdir --parents"),
    "the store is none": (broken_store, [("store", WRONG)], [], "--store"),
    "Slack's token": (
        lambda scene: scene.options(slack_token="another"),
        [("token", WRONG)],
        [],
        "--slack.tokenfile",
    ),
}
