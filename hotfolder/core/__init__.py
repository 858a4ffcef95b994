"""What things are and what may happen to them.

No I/O, no clock, no environment; standard library only. Everything here can be
called from a test with plain values.
"""
