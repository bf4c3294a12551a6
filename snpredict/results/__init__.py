"""Results of commands: what they hold, and how they are written."""
