"""The node's HTTP API for programs: bearer tokens, JSON, problem+json. Served beside the pages, without cookies."""

from comity.entrypoints.api.app import BASE, beside, create_api

__all__ = ["BASE", "beside", "create_api"]
