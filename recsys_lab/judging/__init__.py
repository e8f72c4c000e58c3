"""What it is worth: lists, metrics, intervals and the leaderboard."""
