"""The request path: attempts, the commit point, flights and the relay."""
