"""``CloneVmInstance``: checks, the thirteen steps, and the answer (clone-storage-affinity.md 1)."""
