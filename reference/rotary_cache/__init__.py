"""What attention with rotary positions and grouped heads does otherwise where there is a cache."""
