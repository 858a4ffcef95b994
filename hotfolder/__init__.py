"""hotfolder: from OpenText Exstream's output folders into ArchivesSpace, exactly once."""

__version__ = "0.1.0"
