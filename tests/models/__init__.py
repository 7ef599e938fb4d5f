"""Real networks with telling parameters, as the files that their framework's exporter writes."""
