"""The web instance: one process, and the pid that the supervisor started is what serves."""

from config.web import main

if __name__ == "__main__":
    main()
