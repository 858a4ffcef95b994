"""ArchivesSpace as the archive: the ``Archive`` port over its HTTP API.

Facts about the server come from the project's reference on ArchivesSpace and from
recorded exchanges with a v4.2.1 backend.
"""
