"""The registers of our compacts: joined, kept fresh, changed with the other states; and our own word on a peer."""
