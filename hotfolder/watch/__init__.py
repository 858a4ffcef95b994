"""Watching hot folders: the rescan is the guarantee, events only make it quick."""
