"""Systems: a detector finds objects, an embedder names them, and they are counted."""
