"""Real networks with telling parameters, as the files that their own framework writes."""
