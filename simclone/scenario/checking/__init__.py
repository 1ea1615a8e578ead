"""Faults of a document: shape first, then names, attachments, figures."""
