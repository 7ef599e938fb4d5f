"""What each op means: one function an op, and its cases beside it."""
