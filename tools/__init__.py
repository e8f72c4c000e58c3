"""Tools for those who write the course; a learner needs none of them."""
