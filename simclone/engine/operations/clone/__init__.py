"""``CloneVmInstance``: checks, the thirteen steps, and the answer (rules/clone-call.md#steps)."""
