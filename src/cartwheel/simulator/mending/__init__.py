"""The small flywheel in worlds: a size confusion found, mended, tested and credited."""
