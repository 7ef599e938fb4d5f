"""The demo: the networks of an OCR package, converted, do the package's work in its place."""
