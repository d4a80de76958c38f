"""The checker checked: small breakages of the product, each of which the harness must catch."""
