"""The benchmark: what a conversion costs, beside another converter on the same machine."""
