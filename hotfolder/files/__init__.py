"""Rename, hash, copy, sync: the only code that touches paths.

Names are bytes, because Linux names are. Links are never followed below the hot
folder's root. Every ``OSError`` becomes one of the errors of ``core.errors`` here.
"""
