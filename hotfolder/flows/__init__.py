"""What hotfolder does, one verb each. Ports come in as arguments."""
