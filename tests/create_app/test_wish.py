from __future__ import annotations

import pytest

from kubeci.create_app.secret import read_secret_name
from kubeci.create_app.wish import read_webhook, read_wish
from kubeci.errors import ConfigurationError
from kubeci.model.app_needs import EVENTS, wanted_permissions

API = "https://api.github.com"
GHES = "https://ghe.example.com/api/v3"


@pytest.mark.parametrize(
    ("api", "org", "address"),
    [
        (API, "", "https://github.com/settings/apps/new?state=s"),
        (API, "acme", "https://github.com/organizations/acme/settings/apps/new?state=s"),
        (GHES, "", "https://ghe.example.com/settings/apps/new?state=s"),
        (f"{GHES}/", "acme", "https://ghe.example.com/organizations/acme/settings/apps/new?state=s"),
        ("https://api.acme.ghe.com", "x", "https://acme.ghe.com/organizations/x/settings/apps/new?state=s"),
    ],
)
def test_the_manifest_goes_to_github_or_an_enterprise_server(api: str, org: str, address: str) -> None:
    assert read_wish(api, org=org).form_address("s") == address


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"org": "acme"}, "kubeci-acme"),
        ({"org": "acme", "name": " Our CI "}, "Our CI"),
        ({"org": "a" * 39}, "kubeci-" + "a" * 27),
        ({"org": "a" * 26 + "-b"}, "kubeci-" + "a" * 26),
        ({}, ""),
    ],
)
def test_the_name(given: dict[str, str], name: str) -> None:
    assert read_wish(API, **given).name == name


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"github_url": "ghe.example.com"}, "--github-url ghe.example.com: write https://api.github.com, or"),
        ({"github_url": "https://github.com"}, "--github-url https://github.com: write"),
        ({"github_url": "https://ghe.example.com"}, "--github-url https://ghe.example.com: write"),
        ({"github_url": "https://api.github.com/x"}, "--github-url https://api.github.com/x: write"),
        ({"github_url": "https:///api/v3"}, "--github-url https:///api/v3: write"),
        ({"github_url": "https://h:x/api/v3"}, "--github-url https://h:x/api/v3: write"),
        ({"org": "a/b"}, "--org a/b: this is no name"),
        ({"org": "-a"}, "--org -a: this is no name"),
        ({"name": "n" * 35}, "GitHub takes at most 34 characters"),
        ({"name": "a\nb"}, "on one line"),
        (
            {"webhook_url": "ci.example.com"},
            "--webhook-url ci.example.com: write an address that begins with",
        ),
        ({"webhook_url": "https://"}, "--webhook-url https://: this is no address"),
        ({"webhook_url": "https://a b/"}, "this is no address"),
        ({"webhook_url": "https://[::1/"}, "this is no address"),
        ({"webhook_url": "https://h:99999/"}, "this is no address"),
        ({"webhook_url": "https://ä.example/"}, "this is no address"),
        ({"webhook_url": "https://" + "h" * 1000}, "this is no address"),
        ({"webhook_url": "https://me@h/"}, "without a user"),
        ({"webhook_url": "https://h/#x"}, "without #"),
        (
            {"webhook_url": "http://localhost:8080"},
            "github.com cannot reach an address of this machine alone",
        ),
        ({"webhook_url": "http://127.0.0.1"}, "github.com cannot reach"),
        ({"webhook_url": "http://[::1]"}, "github.com cannot reach"),
    ],
)
def test_what_is_refused(given: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_wish(**{"github_url": API, **given})
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://ci.example.com", "https://ci.example.com/webhooks/github"),
        (" https://ci.example.com/ ", "https://ci.example.com/webhooks/github"),
        ("https://ci.example.com:8443/own/path", "https://ci.example.com:8443/own/path"),
        ("http://10.0.0.1/?x=1", "http://10.0.0.1/webhooks/github?x=1"),
    ],
)
def test_a_bare_host_gets_the_servers_path(text: str, address: str) -> None:
    assert read_webhook(text, github="https://github.com") == address


def test_the_manifest_asks_for_what_kubeci_needs_and_no_more() -> None:
    wish = read_wish(API, org="acme", webhook_url="https://ci.example.com:8443")
    assert wish.manifest("http://127.0.0.1:1/x/created") == {
        "name": "kubeci-acme",
        "url": "https://ci.example.com:8443",
        "description": "Continuous integration on Kubernetes and Argo Workflows",
        "hook_attributes": {"url": "https://ci.example.com:8443/webhooks/github", "active": True},
        "redirect_url": "http://127.0.0.1:1/x/created",
        "public": False,
        "default_permissions": wanted_permissions(),
        "default_events": [each.event for each in EVENTS],
    }
    assert "name" not in read_wish(API, webhook_url="https://h").manifest("http://127.0.0.1:1/")


@pytest.mark.parametrize(
    ("namespace", "name", "words"),
    [
        ("A", "x", "--namespace A: this is no name"),
        ("a.b", "x", "--namespace a.b: this is no name"),
        ("a" * 64, "x", "--namespace"),
        ("a", "x/y", "--secret-name x/y: this is no name"),
        ("a", "", "--secret-name : this is no name"),
        ("a", "x" * 254, "--secret-name"),
    ],
)
def test_names_that_kubernetes_would_refuse(namespace: str, name: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        read_secret_name(namespace, name)
    assert str(read_secret_name("a-b", "x.y-1")) == "a-b/x.y-1"
