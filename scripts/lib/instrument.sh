#!/bin/sh
# Cargo runs this in rustc's place for the workspace's own crates: they count which of their lines run.
exec "$@" -Cinstrument-coverage
