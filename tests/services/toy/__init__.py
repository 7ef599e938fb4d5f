"""An adapter outside the project, as anyone would write one."""
