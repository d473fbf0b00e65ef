"""The law room: law as data, and decisions over it that return their reasons. Pure; nothing here is legal
advice.

`register` loads what was gathered (each row with source, confidence, age); `bases.bases` says which
instrument two jurisdictions may use for what, `articles` what it allows, `otherwise` what may remain without one,
`authorities.competent` whom to ask. `offences` is the catalogue, `dual_criminality.compare` holds conduct against the
provisions of two jurisdictions, `safeguards.decide` applies a decision table. `procedures.step` moves a case
through a declared state machine, `procedure_files.procedure` finds one,
`procedure_page.page` shows it. `policies.Policies` decides who may
do what (Cedar). Data files are in `data/`; their formats are in `data/README.md` and `spec/procedure.md`.
"""

from comity.law.basis import Bases, Basis
from comity.law.policies import (
    Action,
    Decision,
    Outcome,
    Policies,
    default_policies,
    optional_policy,
    shipped_for,
)
from comity.law.procedure_files import all_procedures, procedure
from comity.law.procedures import Deadline, Procedure, Step, begin, configured, rehearse, step
from comity.law.register import GATHERED, Register

__all__ = [
    "GATHERED",
    "Action", "Bases", "Basis", "Deadline", "Decision", "Outcome", "Policies", "Procedure", "Register",
    "Step",
    "all_procedures", "begin", "configured", "default_policies", "optional_policy", "procedure",
    "rehearse", "shipped_for", "step",
]  # fmt: skip
