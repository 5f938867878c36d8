"""The one GraphQL query that a build reads: the CI folder, the commit and the pull requests it heads."""

from __future__ import annotations

from kubeci.model.context import MAX_DEPTH


def _entries(depth: int) -> str:
    """Write the selection of a folder's entries, with `depth` further folders below it."""
    below = f"... on Tree {{ {_entries(depth - 1)} }}" if depth else ""
    blob = "... on Blob { oid text isBinary isTruncated byteSize }"
    return f"entries {{ name type mode object {{ __typename {blob} {below} }} }}"


COMMIT_QUERY = f"""
query Commit($owner: String!, $name: String!, $oid: GitObjectID!, $folder: String!) {{
  repository(owner: $owner, name: $name) {{
    folder: object(expression: $folder) {{ __typename ... on Tree {{ {_entries(MAX_DEPTH)} }} }}
    commit: object(oid: $oid) {{
      ... on Commit {{
        message
        associatedPullRequests(first: 10) {{
          nodes {{
            number title url isDraft state baseRefName headRefOid
            headRepository {{ nameWithOwner }}
            baseRef {{ target {{ oid }} }}
          }}
        }}
      }}
    }}
  }}
}}
"""
