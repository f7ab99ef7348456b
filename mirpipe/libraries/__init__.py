"""What model libraries need to run as published: one file a library, the only place for patches.

Modules here import torch and the libraries at their top: plug-ins import them in constructors.
"""
