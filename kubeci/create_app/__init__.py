"""The GitHub App in one click: a page on loopback, GitHub's manifest flow, a Secret with the credentials."""
