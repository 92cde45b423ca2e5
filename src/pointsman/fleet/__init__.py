"""What is known about models before anyone configures them. Pure values; nothing is asked of a network."""
