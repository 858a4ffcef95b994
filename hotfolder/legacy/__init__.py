"""Exports of old archives, read as they lie: which items there are, and what is said of
them. Nothing is ever written into one."""
