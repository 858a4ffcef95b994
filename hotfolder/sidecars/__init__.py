"""What a spool's metadata says, and what that makes of it. Bytes in, records out."""
