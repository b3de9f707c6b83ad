"""HTTP as clients see it: the wire, the routes, errors and lists in their dialect."""
