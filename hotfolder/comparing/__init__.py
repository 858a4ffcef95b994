"""An archived document beside a re-rendered copy: what is the same, what is not, and where.

Nothing here knows paths, journal or store: it is given open files. The copy is untrusted.
"""
