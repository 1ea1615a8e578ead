"""The life of a VM: create, start, stop, move, resize, destroy."""
