"""A run as the program sees it: verbs, configuration, step numbers, and the life of its process."""
