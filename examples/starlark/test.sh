#!/bin/sh
# count.sh must count itself.
set -eu
test "$(sh count.sh count.sh)" = 3
echo "counted"
