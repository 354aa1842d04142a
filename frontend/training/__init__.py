"""Trains small networks of the zoo on folders of images."""
