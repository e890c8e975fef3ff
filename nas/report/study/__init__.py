"""The report of one study or several: what was found, as rows, and one page that holds all of it."""
