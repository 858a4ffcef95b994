"""Where the bytes live: OCFL 1.1 objects on disk, one for each spool."""
