"""Speed and memory of the product, each figure beside its floor: `make bench`."""
