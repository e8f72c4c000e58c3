"""How the course starts: the commands and the check of the machine. Standard library only."""
