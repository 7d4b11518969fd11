"""What must be true at the borders of the platform: a suite for what comes in, a suite for what leaves."""
