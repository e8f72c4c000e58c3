"""How the course starts, what lies in it, and what was done. Standard library only."""
