"""What people see of the node: frozen values and how they are gathered. Reads, records the reading, decides nothing."""
