"""The subcommands of `./manage.py lab`, a module each: HELP, add_arguments(parser), run(home, options) → exit code."""
