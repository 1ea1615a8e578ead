"""Decide and reserve as one undoable step, without a clock; the engine and planning call the same functions."""
