"""What the log says of the victims' vault, in sentences: pseudonyms, purposes and grounds of closed lists, no more."""

from collections.abc import Callable, Mapping
from typing import Any

VAULT: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "victim.vault-created": lambda _: "The victims' vault was made",
    "victim.settled": lambda _: "The victims' vault was compared with this log",
    "victim.act-missing": lambda body: f"Told by this log, and missing in the victims' vault: {body['act']}",
    "victim.denied": lambda body: f"Denied at the victims' vault: {body['action'].replace('_', ' ')}",
    "victim.admitted": lambda body: f"{body['victim']} was taken into the victims' vault",
    "victim.listed": lambda _: "The list of the victims' vault was read",
    "victim.read": lambda body: f"The record of {body['victim']} was read",
    "victim.corrected": lambda body: f"The record of {body['victim']} was corrected",
    "victim.erased": lambda body: f"{body['victim']} was erased from the victims' vault: {body['ground']}",
    "victim.screened": lambda body: f"{body['victim']} was screened",
    "victim.screening-stated": lambda body: f"The result of the screening of {body['victim']} was stated",
    "victim.statement-withdrawn": lambda _: "What was stated of a screening holds no more",
    "victim.consented": lambda body: f"{body['victim']} consents to {body['purpose']}",
    "victim.consent-withdrawn": lambda body: f"{body['victim']} takes a consent to {body['purpose']} back",
    "victim.disclosed": lambda body: f"Disclosed of {body['victim']}, with consent, for {body['purpose']}",
    "victim.pseudonym-given": lambda body: f"The pseudonym {body['victim']} was given",
    "victim.reflection-begun": lambda body: f"{body['victim']} has time to reflect: no removal meanwhile",
    "victim.protection-read": lambda body: f"It was asked what may be done to {body['victim']}",
    "victim.return-assessed": lambda body: f"The risk of a return of {body['victim']} was assessed",
}
