"""Training jobs in a child process, and the model archives they leave."""
