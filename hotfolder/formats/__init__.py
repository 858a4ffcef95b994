"""What a spool file is: whole or not, how many pages. Bytes in, records out.

The content decides; a name only breaks ties. Readers take a binary stream and the
size, keep little in memory, and raise nothing for bad content: they report it.
"""

from hotfolder.formats.registry import inspect_spool, inspect_trailer

__all__ = ["inspect_spool", "inspect_trailer"]
