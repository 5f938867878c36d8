"""Definitions that load from other repositories, over HTTP as GitHub does it."""

from __future__ import annotations

from functools import partial

from tests_stack import SharedScene

DEFINITION = """
load("github://lib/steps.star?ref=v1", "template")
workflow = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Workflow",
    "spec": {"entrypoint": "ci", "templates": [template("ci")]},
}
"""
STEPS = """
load("image.star", "IMAGE")
def template(name):
    return {"name": name, "container": {"image": IMAGE, "command": ["true"]}}
"""


async def test_a_module_of_the_same_owner(scene: SharedScene) -> None:
    github = scene.stack.github
    library_name = f"{scene.owner}/lib"
    await github.create_repository(library_name, private=True)
    library = await github.push(library_name, {"steps.star": STEPS, "image.star": "IMAGE = 'alpine:3.22'\n"})
    await github.tag(library_name, "v1", library, message="first")
    run = await scene.concluded(await scene.push({".kube-ci/ci.star": DEFINITION}))
    assert (run.name, run.conclusion) == ("Workflow - ci", "success")
    loaded = str(run.output["text"])
    assert f"github://lib.{scene.owner}/steps.star?ref=v1 at {library}" in loaded
    assert f"image.star?ref=v1 at {library}" in loaded


async def test_what_may_not_be_read_is_told_where_it_is_asked_for(still: SharedScene) -> None:
    await still.stack.github.create_repository("other/lib")
    await still.stack.github.push("other/lib", {"x.star": "x = 1\n"})
    for address, reason in (
        ("github://lib.other/x.star", "other/lib belongs to another owner"),
        ("github://none/x.star", f"{still.owner}/none is not there, or the App may not read it"),
        ("https://127.0.0.1/x.star", "127.0.0.1 has the address 127.0.0.1, which is not public"),
        ("https://169.254.169.254/latest", "which is not public"),
        ("https://localhost:8080/x", "leads to port 8080; the server's settings allow 443"),
    ):
        sha = await still.push({".kube-ci/ci.star": f"load('{address}', 'x')\n"})
        [run] = await still.until(partial(still.runs, sha))
        assert (run.name, run.conclusion) == ("Default Workflow", "failure")
        assert f".kube-ci/ci.star:1:1: {'`' if 'none' in address else address}" in str(run.output["summary"])
        assert reason in str(run.output["summary"])
