"""How models are computed: one lazy Spark session and one folder per model family."""
