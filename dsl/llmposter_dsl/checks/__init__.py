"""One module a code: what is wrong, why, an example and its cure; and the check itself where it is one of its own.

A module of the machine's family has a `check(machine, report)`; codes that are found while reading, naming and typing
are reported where that is done.
"""
