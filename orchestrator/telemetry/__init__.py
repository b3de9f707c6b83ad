"""What is told about requests: records and logs."""
