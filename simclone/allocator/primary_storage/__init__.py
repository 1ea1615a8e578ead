"""Primary storage allocation: which storage takes a volume, and whether it has room.

Rule: rules/primary-storage.md#strategies.
"""
