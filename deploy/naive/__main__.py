"""`python -m deploy.naive`: make the tables, then serve on PORT, as `migrate` and `runserver` do."""

import os
import sys


def main() -> None:
    """Serve until told to stop."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "deploy.naive.settings"
    from django.core.management import execute_from_command_line

    execute_from_command_line([sys.argv[0], "migrate", "--run-syncdb", "--verbosity", "0"])
    print("naive: tables are there", flush=True)
    execute_from_command_line([sys.argv[0], "runserver", "--noreload", f"127.0.0.1:{os.environ['PORT']}"])


if __name__ == "__main__":
    main()
