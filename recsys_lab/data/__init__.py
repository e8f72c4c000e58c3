"""What is known: interactions of users and items, the data sets, and ways to split them."""
