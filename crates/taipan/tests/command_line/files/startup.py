started = "yes"
