"""``python -m hotfolder``."""

from hotfolder.service.cli import main

main()
