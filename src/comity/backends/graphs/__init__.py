"""The way of the money as files of other programs: GraphML, GEXF 1.3, CSV, and FollowTheMoney entities.

A graph has accounts as nodes and bookings as edges; amounts are integers in minor units beside decimals in major ones.
"""

from comity.backends.graphs.files import FORMATS, graph_bytes, require_format, written
from comity.backends.graphs.graph import Account, Amount, Graph, Movement, graph_of_trace

__all__ = [
    "FORMATS",
    "Account",
    "Amount",
    "Graph",
    "Movement",
    "graph_bytes",
    "graph_of_trace",
    "require_format",
    "written",
]
