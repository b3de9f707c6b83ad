"""What is known of the servers, in memory."""
