#!/bin/sh
# What greet.sh must say.
set -eu
test "$(sh greet.sh)" = "Hello, world!"
test "$(sh greet.sh Ada)" = "Hello, Ada!"
echo "2 greetings are right"
