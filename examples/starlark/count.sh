#!/bin/sh
# Count the lines of the files that are named.
cat -- "$@" | wc -l | tr -d ' '
