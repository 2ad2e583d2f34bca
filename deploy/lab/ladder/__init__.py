"""The ladder of nines: the same events on every tier, what they spoil in a year, and what each tier costs to run."""
