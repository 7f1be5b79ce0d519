"""Segments: distributed k-means whose model does not depend on partitioning or row order."""
