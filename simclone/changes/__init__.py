"""Changes: one file a kind, with its document, its check, what it does to a file and to a running cloud, its price.

==================  ===========================================================================================
`load`              scenarios read with every kind that is registered
`register`          the kinds, and those that installed distributions bring
`kind`              what a kind says of itself, with the bases of changes to hosts and to primary storages
`whatif`            changes made in a scenario's file, before the run or at a time of it
`schedule`          incidents: changes at their times, again and again, with repairs and in waves
`entries`           parts of a scenario's data that several kinds look up
every other file    one kind of change
==================  ===========================================================================================
"""
