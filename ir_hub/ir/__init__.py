"""The graph that every stage reads and writes: values, nodes, types, sizes, constants."""
