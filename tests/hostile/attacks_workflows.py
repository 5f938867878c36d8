"""Workflows by which somebody is after other builds, the node, the cluster's secrets, or the word of our own annotations."""

from __future__ import annotations

from typing import Any

from attack import SPEC, Attack, Manifest, Verdict, asking, definition, yml

from kubeci.workflow import metadata

SECRET = {"name": "prod", "key": "token"}
OTHER = "othercorp"


def _volume(**source: Any) -> Manifest:
    return {"volumes": [{"name": "v", **source}]}


def _main(**fields: Any) -> Manifest:
    return {"container": {"image": "alpine", "command": ["true"], **fields}}


def _secure(**context: Any) -> Manifest:
    return _main(securityContext=context)


def _env(**source: Any) -> Manifest:
    return _main(env=[{"name": "X", "valueFrom": source}])


STRANGERS = (
    asking("another service account", "the service account `admin`", {"serviceAccountName": "admin"}),
    asking("an account of the executor", "the service account `admin`", {"executor": {"serviceAccountName": "admin"}}),
    asking("the node's disk", "hostPaths", _volume(hostPath={"path": "/"})),
    asking("the container runtime", "hostPaths", _volume(hostPath={"path": "/var/run/docker.sock", "type": "Socket"})),
    asking("the node's network", "hostNetwork", {"hostNetwork": True}),
    asking("a privileged container", "privileged", None, _secure(privileged=True)),
    asking("a privileged sidecar", "privileged", None, {"sidecars": [{"name": "s", "image": "a", "securityContext": {"privileged": True}}]}),
    asking("a privileged init container", "privileged", None, {"initContainers": [{"name": "s", "image": "a", "securityContext": {"privileged": True}}]}),
    asking("a capability", "capabilities", None, _secure(capabilities={"add": ["SYS_ADMIN"]})),
    asking("a secret in the environment", "the secret `prod`", None, _env(secretKeyRef=SECRET)),
    asking("all of a secret", "the secret `prod`", None, _main(envFrom=[{"secretRef": {"name": "prod"}}])),
    asking("a secret as a volume", "the secret `prod`", _volume(secret={"secretName": "prod"})),
    asking("a secret within a projection", "the secret `prod`", _volume(projected={"sources": [{"secret": {"name": "prod"}}]})),
    asking("a token of the account", "serviceAccountTokens", _volume(projected={"sources": [{"serviceAccountToken": {"audience": "vault", "path": "t"}}]})),
    asking("a secret to pull images", "the secret `prod`", {"imagePullSecrets": [{"name": "prod"}]}),
    asking("a secret named at run time", "secrets", None, _env(secretKeyRef={"name": "{{workflow.parameters.repoName}}", "key": "k"})),
    asking("somebody's claim", "claims", _volume(persistentVolumeClaim={"claimName": "ci-project-acme-other"})),
    asking("a node of one's choice", "nodeSelectors", {"nodeSelector": {"pool": "prod"}}),
    asking("all the taints", "tolerations", {"tolerations": [{"operator": "Exists"}]}),
    asking("a template of the namespace", "workflowTemplates", {"templates": [{"name": "ci", "steps": [[{"name": "a", "templateRef": {"name": "deploy", "template": "x"}}]]}]}),
    asking("a template of the cluster", "clusterWorkflowTemplates", {"templates": [{"name": "ci", "steps": [[{"name": "a", "templateRef": {"name": "deploy", "template": "x", "clusterScope": True}}]]}]}),
    asking("a template in the exit hook", "workflowTemplates", {"hooks": {"exit": {"templateRef": {"name": "deploy", "template": "x"}}}}),
    asking("a change of the cluster", "resourceTemplates", None, {"container": None, "resource": {"action": "create", "manifest": "apiVersion: v1\nkind: Pod\n"}}),
    asking("a patch of the pod", "podSpecPatch", {"podSpecPatch": "hostPID: true"}),
    asking("a patch in a template", "podSpecPatch", None, {"podSpecPatch": '{"hostIPC":true}'}),
    asking("a patch of the collector's pod", "podSpecPatch", {"artifactGC": {"strategy": "OnWorkflowCompletion", "podSpecPatch": "hostPID: true"}}),
    asking("an executor plugin", "plugins", None, {"container": None, "plugin": {"evil": {}}}),
    asking("a mutex of others", "synchronization", {"synchronization": {"mutexes": [{"name": "deploy-prod"}]}}),
    asking("a mutex of another namespace", "namespaces", {"synchronization": {"mutexes": [{"name": "x", "namespace": "kube-system"}]}}),
    asking("somebody's results", "memoization", None, {"memoize": {"key": "k", "cache": {"configMap": {"name": "shared"}}}}),
    asking("the artifact store", "artifactStores", None, {"inputs": {"artifacts": [{"name": "a", "path": "/a", "s3": {"key": "other/build"}}]}}),
    asking("another artifact repository", "artifactRepositories", {"artifactRepositoryRef": {"configMap": "others", "key": "k"}}),
    asking("labels of pods", "podMetadata", {"podMetadata": {"labels": {"app": "payments"}}}),
    asking("letters of another case", "unknownFields", None, {"steps": [[{"name": "a", "inline": {"container": {"image": "a", "SecurityContext": {"privileged": True}}}}]], "container": None}),
    asking("a port of the node", "hostPorts", None, _main(ports=[{"containerPort": 1, "hostPort": 443}])),
    asking("the metadata service by a probe", "probeHosts", None, _main(livenessProbe={"httpGet": {"host": "169.254.169.254", "port": 80}})),
    asking("a first place in the queue", "priorityClasses", {"podPriorityClassName": "system-node-critical"}),
    asking("a volume of the cloud", "volumeKinds", _volume(csi={"driver": "secrets-store.csi.k8s.io"})),
    asking("another's credentials over HTTP", "the secret `prod`", None, {"container": None, "http": {"url": "http://x", "headers": [{"name": "A", "valueFrom": {"secretKeyRef": SECRET}}]}}),
)  # fmt: skip


def _ours(manifest: Manifest) -> Manifest:
    found: Manifest = manifest["metadata"]
    return found


def _names_ours(manifest: Manifest) -> bool:
    """Say whether a workflow tells of the build that it was made for, and of no other."""
    meta = _ours(manifest)
    told = meta["annotations"]
    return (
        meta["namespace"] == "argo"
        and meta["labels"][metadata.LABEL_MANAGED_BY] == "kube-ci"
        and told[metadata.ORG] == "acme"
        and told[metadata.INSTALLATION] == "1"
        and told[metadata.CHECK_RUN_ID] == "0"
        and metadata.DEPLOYMENT_IDS not in told
        and OTHER not in str(meta)
    )


def _pretending(name: str, says_nothing_of: str = "", /, **meta: Any) -> Attack:
    def proof(manifest: Manifest) -> bool:
        return _names_ours(manifest) and (not says_nothing_of or says_nothing_of not in _ours(manifest))

    return Attack(name, {"ci.yaml": definition(**meta)}, Verdict.HARMLESS, proof=proof)


def _holding(name: str, /, **meta: Any) -> Attack:
    return yml(name, definition(**meta), "objectMetadata", untrusted=True)


PRETENDERS = (
    _pretending("another's check-run", annotations={metadata.CHECK_RUN_ID: "4711", metadata.ORG: OTHER}),
    _pretending("another's installation", annotations={metadata.INSTALLATION: "99", metadata.REPO: "secrets"}),
    _pretending("another's build", annotations={metadata.BUILD_ID: "0" * 40}),
    _pretending("another's deployment", annotations={metadata.DEPLOYMENT_IDS: '{"a": 1}'}),
    _pretending("nobody's workflow", labels={"managedBy": "", "org": OTHER}),
    _pretending("a name of another build", "generateName", name="widgets.main.x123", generateName="x-"),
    _pretending("another namespace", namespace="kube-system"),
    _pretending("an object of another time", "uid", uid="1", resourceVersion="1", creationTimestamp="2001-01-01T00:00:00Z"),
    _holding("an owner elsewhere", ownerReferences=[{"apiVersion": "v1", "kind": "Namespace", "name": "prod", "uid": "1", "blockOwnerDeletion": True}]),
    _holding("a finalizer that nobody ends", finalizers=["example.org/never"]),
    _holding("a run of another's CronWorkflow", labels={"workflows.argoproj.io/cron-workflow": "nightly"}),
    _holding("another controller's workflow", labels={"workflows.argoproj.io/controller-instanceid": "prod"}),
    asking("other labels when it runs", "objectMetadata", {"workflowMetadata": {"labels": {"managedBy": "x"}, "annotations": {metadata.CHECK_RUN_ID: "1"}}}),
    asking("pods of others that may not move", "podMetadata", {"podDisruptionBudget": {"maxUnavailable": 0, "selector": {}}}),
)  # fmt: skip


def _wide(fields: str, count: int) -> dict[str, str]:
    """Write a definition of so many templates, each by its number `n`; Starlark, which is shorter."""
    return {
        "ci.star": "workflow = {'apiVersion': 'argoproj.io/v1alpha1', 'kind': 'Workflow', 'spec': {'entrypoint': 't0', "
        f"'templates': [{fields} for n in range({count})]}}}}\n"
    }


def _chain(kind: str) -> str:
    step = "{'name': 's', 'template': 't%d' % (n + 1)}"
    return (
        f"{{'name': 't%d' % n, 'steps': [[{step}]]}}"
        if kind == "steps"
        else f"{{'name': 't%d' % n, 'dag': {{'tasks': [{step}]}}}}"
    )


BREADTH = (
    Attack("a chain of templates", _wide(_chain("steps"), 12_000), Verdict.REFUSED, "t12000", costly=True),
    Attack("a chain of tasks", _wide(_chain("dag"), 11_000), Verdict.REFUSED, "t11000", costly=True),
    Attack("names that are nearly there", _wide("{'name': 't%d' % n, 'steps': [[{'name': 's', 'template': 'x%d' % n}]]}", 11_000), Verdict.REFUSED, "there is no template", costly=True),
    Attack("fields that nobody knows", _wide("{'name': 't%d' % n, 'imge%d' % n: 1, 'container': {'imag': 'a'}}", 11_000), Verdict.EVALUATED, costly=True),
    Attack("one name for all", _wide("{'name': 't0', 'container': {'image': 'a'}}", 16_000), Verdict.REFUSED, "is defined twice", costly=True),
    Attack("variables without end", _wide("{'name': 't%d' % n, 'container': {'image': '{{' * 30 + 'a'}}", 8_000), Verdict.EVALUATED, costly=True),
    Attack("variables that nobody gives", _wide("{'name': 't%d' % n, 'container': {'image': '{{inputs.parameters.x%d}}' % n}}", 9_000), Verdict.REFUSED, "no input parameter", costly=True),
    Attack("a variable of a megabyte", _wide("{'name': 't0', 'container': {'image': '{{' + 'a' * 900000}}", 1), Verdict.EVALUATED),
    Attack("a million braces", _wide("{'name': 't0', 'container': {'image': '{' * 900000}}", 1), Verdict.EVALUATED),
    Attack("expressions without end", _wide("{'name': 't0', 'container': {'image': '{{=' * 300000}}", 1), Verdict.EVALUATED),
    Attack("closed expressions", _wide("{'name': 't0', 'container': {'image': '{{=a}}' * 150000}}", 1), Verdict.EVALUATED),
    Attack("brackets in an expression", _wide("{'name': 't0', 'container': {'image': '{{=' + 'inputs.parameters[' * 50000 + '}}'}}", 1), Verdict.EVALUATED),
    Attack("tasks that depend on each other", _wide("{'name': 't0', 'dag': {'tasks': [{'name': 'a%d' % k, 'template': 't0', 'depends': ' && '.join(['a%d' % j for j in range(max(0, k - 30), k)])} for k in range(2500)]}}", 1), Verdict.EVALUATED, costly=True),
    Attack("one task of a hundred thousand words", _wide("{'name': 't0', 'dag': {'tasks': [{'name': 'a', 'template': 't0', 'depends': '(' * 200000 + 'b'}]}}", 1), Verdict.REFUSED, "is no task here"),
    Attack("ten thousand tasks of one name", _wide("{'name': 't0', 'dag': {'tasks': [{'name': 'a', 'template': 't0'}] * 20000}}", 1), Verdict.REFUSED, "is defined twice", costly=True),
    Attack("ten thousand parameters", _wide("{'name': 't0', 'inputs': {'parameters': [{'name': 'p%d' % k} for k in range(40000)]}, 'container': {'image': 'a'}}", 1), Verdict.REFUSED, "gives no value", costly=True),
    Attack("ten thousand artifacts of one name", _wide("{'name': 't0', 'inputs': {'artifacts': [{'name': 'p', 'path': '/p'}] * 25000}, 'container': {'image': 'a'}}", 1), Verdict.REFUSED, "is defined twice", costly=True),
    Attack("a quantity without end", {"ci.yaml": definition(annotations={"kube-ci.qutics.com/cacheScope": "branch", "kube-ci.qutics.com/cacheSize": "9" * 200_000})}, Verdict.REFUSED, "creation of cache volume failed"),
    Attack("a claim's name without end", {"ci.yaml": definition(annotations={"kube-ci.qutics.com/cacheScope": "branch", "kube-ci.qutics.com/cacheSize": "1Gi", "kube-ci.qutics.com/cacheName": "a-" * 100_000})}, Verdict.REFUSED, "creation of cache volume failed"),
    Attack("annotations that nobody knows", {"ci.star": "workflow = {'apiVersion': 'argoproj.io/v1alpha1', 'kind': 'Workflow', 'metadata': {'annotations': {'kube-ci.qutics.com/run%d' % n: 'x' for n in range(14000)}}, 'spec': {'entrypoint': 'ci', 'templates': [{'name': 'ci', 'container': {'image': 'a'}}]}}\n"}, Verdict.EVALUATED, costly=True),
)  # fmt: skip
SIZES = (
    yml("more than a cluster takes", SPEC + "  - " + "{name: x, container: {image: '" + "x" * 998_900 + "'}}\n", "bytes large"),
    Attack(
        "forty thousand steps",
        {"ci.yaml": definition({}, {"container": None, "steps": [[{"name": "a", "template": "b"}]] * 40_000})},
        Verdict.REFUSED,
        "bytes as JSON",
    ),
    Attack(
        "fifteen thousand templates",
        {"ci.star": "workflow = {'apiVersion': 'argoproj.io/v1alpha1', 'kind': 'Workflow', 'spec': {'entrypoint': 'x', 'templates': [{'name': 'x%d' % n, 'container': {'image': 'a'}} for n in range(15000)]}}\n"},
        Verdict.REFUSED,
        "no template",
        costly=True,
    ),
    Attack(
        "steps that call in a circle",
        {"ci.yaml": definition({}, {"container": None, "steps": [[{"name": "a", "template": "ci"}]]})},
        Verdict.EVALUATED,
    ),
    Attack(
        "an exponent of templates",
        {
            "ci.yaml": definition(
                {
                    "templates": [
                        {"name": f"t{n}", "steps": [[{"name": f"s{k}", "template": f"t{n + 1}"} for k in range(10)]]}
                        for n in range(12)
                    ]
                    + [{"name": "t12", "container": {"image": "alpine"}}],
                    "entrypoint": "t0",
                }
            )
        },
        Verdict.EVALUATED,
    ),
    Attack(
        "a flood of items",
        {
            "ci.yaml": definition(
                {
                    "templates": [
                        {"name": "ci", "steps": [[{"name": "s", "template": "x", "withSequence": {"count": "100000000"}}]]},
                        {"name": "x", "container": {"image": "alpine"}},
                    ]
                }
            )
        },
        Verdict.EVALUATED,
    ),
    Attack(
        "kept for ever, ended at once",
        {
            "ci.yaml": definition(
                {
                    "ttlStrategy": {"secondsAfterCompletion": 0, "secondsAfterSuccess": -5},
                    "podGC": {"strategy": "OnPodCompletion"},
                    "activeDeadlineSeconds": 10**12,
                    "parallelism": 10**9,
                    "suspend": True,
                }
            )
        },
        Verdict.HARMLESS,
        proof=lambda manifest: min(manifest["spec"]["ttlStrategy"].values()) >= 900,
    ),
    Attack(
        "numbers at their limits",
        {"ci.yaml": definition({"parallelism": 2**63, "activeDeadlineSeconds": -(2**63), "priority": 1e308})},
        Verdict.EVALUATED,
    ),
    Attack(
        "parameters of our names",
        {"ci.yaml": definition({"arguments": {"parameters": [{"name": "revision", "value": "evil"}]}})},
        Verdict.HARMLESS,
        proof=lambda manifest: "evil" not in str(manifest["spec"]["arguments"]),
    ),
    yml("a spec that is text", "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nspec: evil\n", "must be a mapping", line=3),
    Attack(
        "commas without end",
        {"ci.yaml": definition(annotations={"kube-ci.qutics.com/skipIfOnlyChanged": "," * 800_000})},
        Verdict.EVALUATED,
    ),
    Attack(
        "a shape that is none",
        {"ci.yaml": definition({"templates": {"a": 1}, "arguments": [1], "ttlStrategy": "x"})},
        Verdict.REFUSED,
        "must be a mapping",
    ),
    Attack(
        "a metadata that is a list",
        {"ci.yaml": "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: [1]\nspec: {}\n"},
        Verdict.REFUSED,
        "must be a mapping",
    ),
    Attack(
        "globs without end",
        {"ci.yaml": definition(annotations={"kube-ci.qutics.com/runIfChanged": "{" * 50_000 + "," * 50_000})},
        Verdict.REFUSED,
        "path rules",
    ),
    Attack(
        "a pattern without end",
        {"ci.yaml": definition(annotations={"kube-ci.qutics.com/manualTemplates": "(" * 5_000})},
        Verdict.REFUSED,
        "at most 4096",
    ),
)  # fmt: skip
