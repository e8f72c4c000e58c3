"""What a reader sees: figures with alt text, and widgets that move them."""
