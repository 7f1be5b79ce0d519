# Sourced by Spark's own start script. It starts Java with a module that Java warns of, and no flag of Java's takes the
# warning back; every other line passes.
exec 2> >(exec grep --line-buffered -v '^WARNING: Using incubator modules: jdk.incubator.vector$' >&2)
