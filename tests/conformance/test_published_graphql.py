from __future__ import annotations

from pathlib import Path
from typing import Any

import graphql
import pytest
from driven import Driven
from graphql.execution.values import get_variable_values
from published import FETCHED

import kubeci.local.github

pytestmark = pytest.mark.conformance
SERVED = Path(kubeci.local.github.__file__).parent / "schema.graphql"


@pytest.fixture(scope="module")
def published() -> graphql.GraphQLSchema:
    text = (FETCHED / "graphql-schema" / "schema.graphql").read_text(encoding="utf-8")
    return graphql.build_schema(text, assume_valid=True, no_location=True)


def test_every_query_is_valid(published: graphql.GraphQLSchema, driven: Driven) -> None:
    queries = {request.body["query"] for request in driven.requests if request.path == "/graphql"}
    assert queries
    for query in queries:
        assert graphql.validate(published, graphql.parse(query)) == []


def test_every_query_is_given_its_variables(published: graphql.GraphQLSchema, driven: Driven) -> None:
    for request in driven.requests:
        if request.path != "/graphql":
            continue
        [operation] = graphql.parse(request.body["query"]).definitions
        assert isinstance(operation, graphql.OperationDefinitionNode)
        wanted = operation.variable_definitions or ()
        given: dict[str, Any] = request.body["variables"]
        assert given.keys() == {each.variable.name.value for each in wanted}
        assert not isinstance(get_variable_values(published, wanted, given), list)
        assert isinstance(get_variable_values(published, wanted, {}), list)


def test_the_local_schema_is_a_part_of_the_published_one(published: graphql.GraphQLSchema) -> None:
    served = graphql.build_schema(SERVED.read_text(encoding="utf-8"))
    compared = 0
    for name, mine in served.type_map.items():
        if name.startswith("__"):
            continue
        theirs = published.type_map.get(name)
        assert theirs is not None, name
        assert type(mine) is type(theirs), name
        if isinstance(mine, graphql.GraphQLObjectType | graphql.GraphQLInterfaceType):
            assert isinstance(theirs, graphql.GraphQLObjectType | graphql.GraphQLInterfaceType)
            assert {each.name for each in mine.interfaces} <= {each.name for each in theirs.interfaces}, name
            for field, found in mine.fields.items():
                assert field in theirs.fields, f"{name}.{field}"
                assert str(found.type) == str(theirs.fields[field].type), f"{name}.{field}"
                assert_arguments(f"{name}.{field}", found, theirs.fields[field])
                compared += 1
        elif isinstance(mine, graphql.GraphQLEnumType):
            assert isinstance(theirs, graphql.GraphQLEnumType)
            assert mine.values.keys() == theirs.values.keys(), name
    assert compared > 50


def assert_arguments(name: str, mine: graphql.GraphQLField, theirs: graphql.GraphQLField) -> None:
    for argument, found in mine.args.items():
        assert argument in theirs.args, f"{name}({argument})"
        other = theirs.args[argument]
        assert (str(found.type), found.default_value) == (str(other.type), other.default_value), (
            f"{name}({argument})"
        )
    for argument, other in theirs.args.items():
        if graphql.is_required_argument(other):
            assert argument in mine.args, f"{name}({argument})"
