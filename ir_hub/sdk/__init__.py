"""All that an adapter imports: op tables, reading and writing, serving, conformance."""
