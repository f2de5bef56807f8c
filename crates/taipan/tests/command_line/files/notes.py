error = OSError(2, "No such thing", "name.txt")
error.add_note("a note")
error.add_note("two\nlines")
raise error
