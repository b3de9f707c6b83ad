"""The control plane: the REST API that administers the fleet."""
