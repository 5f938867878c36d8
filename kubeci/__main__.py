"""`python -m kubeci`."""

from kubeci.cli import main

if __name__ == "__main__":
    main()
