"""An envelope written a second time, from the spec pages alone, to forge what the product must refuse.

`forger` and `hpke_reference` import nothing of the product. `generate` writes spec/vectors/.
"""
