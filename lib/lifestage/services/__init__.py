"""What one can ask of a project, from Python and from the command line alike."""
