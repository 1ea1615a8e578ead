"""The fast driver: the plain driver's answers without looking at every host."""
