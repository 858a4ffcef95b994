"""Rename, hash, copy, sync: the only code that touches paths. Names are bytes."""
