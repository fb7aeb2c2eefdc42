"""What each page shows, read in one snapshot."""
