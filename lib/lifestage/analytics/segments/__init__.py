"""Segments: distributed k-means whose models don't depend on partitioning or row order."""
