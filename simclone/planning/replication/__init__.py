"""Many runs of a scenario and its variants, where they run, and what they come to."""
