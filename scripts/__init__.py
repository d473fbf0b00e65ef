"""What people run while they work on Comity; nothing here is part of the product."""
