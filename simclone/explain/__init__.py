"""Why a clone was placed where it is, or why it was not."""
