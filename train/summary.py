def summarize_run(run, out, console): console.print("later")
