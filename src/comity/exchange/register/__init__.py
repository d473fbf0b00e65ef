"""Who may be talked to: the register of a compact (TUF), its members, their keys and how fresh all of it is. Pure."""
