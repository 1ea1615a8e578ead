"""The documents: what a scenario or case file may say, one pydantic model a thing."""
