"""How large effects of variants are expected to be, by a bundle of kind `variant-effects`."""
