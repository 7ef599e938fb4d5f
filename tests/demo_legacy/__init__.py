"""The demo of a dead framework's model: trained in MXNet, it goes on in three others."""
