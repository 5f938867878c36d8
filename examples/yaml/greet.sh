#!/bin/sh
# Greet whoever is named, or the world.
echo "Hello, ${1:-world}!"
