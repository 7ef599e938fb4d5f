"""Whether generated code trains as its source does: gradients and running statistics, compared."""
