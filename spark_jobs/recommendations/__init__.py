"""Recommendations: ten products per customer and task, each with a reason that can be counted in the purchases."""
