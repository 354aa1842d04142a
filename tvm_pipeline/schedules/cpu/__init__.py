"""Space generators for vector units."""
