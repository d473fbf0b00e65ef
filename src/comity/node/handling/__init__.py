"""The obligations that came with what others told us: the gate, asking for more, taking back."""
