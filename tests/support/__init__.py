"""What tests share: building frames with fixed defaults, comparing them, running projects."""
