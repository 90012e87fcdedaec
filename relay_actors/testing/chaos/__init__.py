"""Thousands of runs of an application, each from one seed, with people and mishaps drawn by lot. Layer: door.

Source: SEMANTICS V3 to V6.
"""
