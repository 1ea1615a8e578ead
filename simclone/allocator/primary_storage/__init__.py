"""Primary storage allocation: which storage takes a volume, and whether it has room (clone-storage-affinity.md 3)."""
