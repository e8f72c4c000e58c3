"""What is learnt from it: factorisations, networks, and every recommender behind two calls."""
