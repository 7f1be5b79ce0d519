"""What you can ask of a project, from Python or from the command line."""
