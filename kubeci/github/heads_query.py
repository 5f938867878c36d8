"""The GraphQL query that compares heads with check-runs: a page of branches, a page of open pull requests."""

from __future__ import annotations

BRANCHES, PULLS = 100, 50

# A commit has one suite of an App, and now and then another one.
_CHECKS = """
  oid committedDate
  checkSuites(first: 5, filterBy: {appId: $app}) {
    nodes { createdAt push { previousSha pusher { login } } checkRuns(first: 1) { totalCount } }
  }
"""

HEADS_QUERY = f"""
query Heads(
  $owner: String!, $name: String!, $app: Int!
  $branches: Boolean!, $branchesAfter: String, $pulls: Boolean!, $pullsAfter: String
) {{
  repository(owner: $owner, name: $name) {{
    refs(refPrefix: "refs/heads/", first: {BRANCHES}, after: $branchesAfter) @include(if: $branches) {{
      pageInfo {{ hasNextPage endCursor }}
      nodes {{ name target {{ ... on Commit {{ {_CHECKS} }} }} }}
    }}
    pullRequests(
      states: OPEN, first: {PULLS}, after: $pullsAfter, orderBy: {{field: UPDATED_AT, direction: DESC}}
    ) @include(if: $pulls) {{
      pageInfo {{ hasNextPage endCursor }}
      nodes {{
        number createdAt updatedAt headRefName headRefOid
        commits(last: 1) {{ nodes {{ commit {{ {_CHECKS} }} }} }}
      }}
    }}
  }}
}}
"""
