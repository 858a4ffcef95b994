"""An ArchivesSpace stand-in, for trying out and for tests. Not an archive.

It answers as a recorded v4.2.1 server does (tests/contract), keeps its records in
SQLite, and can be told to fail in the ways that networks and servers fail.
"""

from hotfolder.sandbox.costs import Costs
from hotfolder.sandbox.faults import Action, Fault, Faults
from hotfolder.sandbox.sandbox import Sandbox, run

__all__ = ["Action", "Costs", "Fault", "Faults", "Sandbox", "run"]
