"""A node's keys as encrypted files: the files, the keys in them, their generations, and opening them to run.

`sealed_files` says how a folder of keys is protected, and against whom.
"""

from comity.backends.keys.generations import prepare_generation, show_generation, use_generation
from comity.backends.keys.node_keys import Generation, NodeKeys, create_keys
from comity.backends.keys.opening import client_context, load_keys, server_context, show_in, stamp_of
from comity.backends.keys.sealed_files import (
    ChangedKeys,
    KeysExist,
    KeysMissing,
    KeysUnwritable,
    WrongPassphrase,
    derive_password,
)

__all__ = [
    "ChangedKeys",
    "Generation",
    "KeysExist",
    "KeysMissing",
    "KeysUnwritable",
    "NodeKeys",
    "WrongPassphrase",
    "client_context",
    "create_keys",
    "derive_password",
    "load_keys",
    "prepare_generation",
    "server_context",
    "show_generation",
    "show_in",
    "stamp_of",
    "use_generation",
]
