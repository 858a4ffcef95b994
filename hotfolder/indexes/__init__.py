"""What an index says of the documents in a spool. A binary stream in, documents out.

Every reader yields ``IndexedDocument`` one by one and holds one line, row, group or
element at a time, however large the index is. What is wrong with one document is given
to ``skip`` and the reader goes on; without ``skip`` it ends in ``InputFault``. What is
wrong with the index as a whole always ends in ``InputFault``.
"""
