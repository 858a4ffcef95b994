"""Receivers of documents over a network: the only HTTP besides ArchivesSpace's."""
